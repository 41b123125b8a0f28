"""Match a seat with a person by hand. Such a match stays, whatever the rules find, until somebody removes it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas import audit
from subscriptions import history, seats_changed
from subscriptions.models import Match, Person, Subscription
from subscriptions.rematch import MATCH


@transaction.atomic
def run(seat: Subscription, person: Person, *, by: User, now: datetime) -> Match:
    """Match the seat with the person. An earlier match, by rule or by hand, is replaced."""
    before = Match.objects.select_for_update(of=("self",)).filter(subscription=seat).select_related("person").first()
    if before is None or before.person_id != person.pk:
        history.keep_before_match([seat.pk], now=now)
    values = {"person": person, "rule": None, "by": by, "at": now}
    match, _ = Match.objects.update_or_create(subscription=seat, defaults=values)
    seats_changed.note(seat.profile_id)
    audit.record(by, "matched by hand", seat, person=str(person), number=person.key, before=str(before or ""))
    return match


@transaction.atomic
def remove(seat: Subscription, *, by: User) -> bool:
    """Remove a match made by hand and let the rules try again. False if there is no such match."""
    match = Match.objects.select_for_update(of=("self",)).filter(subscription=seat, rule=None).first()
    if match is None:
        return False
    audit.record(by, "removed match", seat, person=str(match.person), number=match.person.key)
    history.keep_before_match([seat.pk], now=timezone.now())
    match.delete()
    seats_changed.note(seat.profile_id)
    queue.request_anew(seat.profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=by)
    return True

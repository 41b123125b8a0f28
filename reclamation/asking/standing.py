"""What has become true since a user was asked, and ends the question: nobody is removed on another person's silence."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from reclamation import guards
from reclamation.models import RemovalCandidate
from samsaas.lib.text_forms import normalize_identifier
from subscriptions.models import Match, Subscription

ANOTHER_PERSON = "Another person now: since the question was asked, the subscription leads to somebody else."
KEPT = "Somebody decided that it is kept."


def objection(candidate: RemovalCandidate, now: datetime) -> str:
    """Why a candidate must be skipped, as things are now; empty if nothing speaks against it. A few queries."""
    seat, today = candidate.subscription, timezone.localtime(now).date()
    if seat is None:
        return guards.SENTENCES[guards.ENDED]
    if code := guards.code_for(seat):
        return guards.SENTENCES[code]
    if is_another_person(candidate, seat):
        return ANOTHER_PERSON
    if seat.keep_until is not None and seat.keep_until >= today:
        return KEPT
    is_exempt = Subscription.objects.filter(guards.is_exempt(today), pk=seat.pk).exists()
    return guards.EXEMPT if is_exempt else ""


def may_object(now: datetime) -> Q:
    """For candidates: whether `objection` has to be asked. Most need no look of their own."""
    today = timezone.localtime(now).date()
    guarded = Subscription.objects.annotate(guard=guards.first_failing()).exclude(guard="")
    other = Match.objects.exclude(person__key=OuterRef("person_key")).filter(subscription=OuterRef("subscription_id"))
    spared = Subscription.objects.filter(guards.is_exempt(today) | guards.is_kept(today))
    return (
        Q(subscription=None)
        | Q(Exists(guarded.filter(pk=OuterRef("subscription_id"))))
        | (~Q(person_key="") & Q(Exists(other)))
        | Q(Exists(spared.filter(pk=OuterRef("subscription_id"))))
    )


def is_another_person(candidate: RemovalCandidate, seat: Subscription | None) -> bool:
    """Whether the candidate's seat leads to somebody else than when its user was asked.

    A seat that lost its user stays theirs.
    """
    now_of = seat.match.person.key if seat is not None and hasattr(seat, "match") else ""
    return bool(candidate.person_key and now_of) and now_of != candidate.person_key


def address_changed(candidate: RemovalCandidate) -> bool:
    """Whether the account has another e-mail address than when its user was asked."""
    seat = candidate.subscription
    return seat is not None and normalize_identifier(seat.email) != normalize_identifier(candidate.email)

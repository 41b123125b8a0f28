"""What happens to removals every minute, without a press: have runs go on with what is due, and note what was learned.

1. Request a run for every connected profile of which something is due. Where it is not connected, say so.
2. Raise the alarm for removals that turn out to be wrong.
3. Take savings back whose accounts have a seat again.
4. Mark batches as done.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile
from profiles.oauth import scopes
from reclamation import workflow
from reclamation.models import RemovalAttempt, RemovalCandidate, SavingsEntry
from reclamation.removal import batches, due, regret, start
from reclamation.savings import ledger
from reclamation.states import State

NOT_CONNECTED = "The profile is not connected, or Reclaim subscriptions is off. Removals wait until it is."


def run(now: datetime) -> None:
    """One round."""
    for profile in _profiles_with_work(now):
        if _is_connected(profile):
            start.request_run(profile, by=None)
        else:
            _say_not_connected(profile, now)
    regret.watch(now=now)
    take_back_savings()
    batches.end_done()


def _profiles_with_work(now: datetime) -> list[IntegrationProfile]:
    """Profiles with an attempt that is due, a call of a dead worker, or a candidate that waits for an attempt."""
    dead = Q(state=RemovalAttempt.State.CALLING, lease_until__lt=Now())
    keys = {
        *due.attempts_due(now).values_list("profile", flat=True),
        *RemovalAttempt.objects.filter(dead, profile__isnull=False).values_list("profile", flat=True),
        *(one.profile_id for one in start.waits_for_attempt()),
    }
    known = [key for key in keys if key is not None]
    return list(IntegrationProfile.objects.filter(pk__in=known).select_related("alias__parent"))


def _is_connected(profile: IntegrationProfile) -> bool:
    row = next((one for one in scopes.by_grant(profile) if one.process.key == base.RECLAIM), None)
    return bool(row and row.enabled and row.connected)


def _say_not_connected(profile: IntegrationProfile, now: datetime) -> None:
    """On what is due, and on candidates that wait for an attempt. One that can still be undone waits for nothing."""
    due.say_why(profile, now, code=due.NOT_CONNECTED, text=NOT_CONNECTED)
    for one in start.waits_for_attempt():
        if one.profile_id == profile.pk:
            workflow.hold(one, code=due.NOT_CONNECTED, text=NOT_CONNECTED)


def take_back_savings() -> int:
    """Note the savings that are gone because the account has a seat again after its removal was over.

    Returns how many.
    """
    kinds = SavingsEntry.Kind
    back = RemovalCandidate.objects.filter(
        state=State.CLOSED_COMPLETE,
        savings__kind=kinds.FREED,
        subscription__ended_at=None,
        subscription__returned_at__gt=F("closed_at"),
    )
    back = back.exclude(savings__kind__in=(kinds.RESTORED, kinds.RETURNED)).select_related("subscription", "rule")
    return sum(ledger.add(one, kinds.RETURNED, on=_day_of_return(one)) for one in back)


def _day_of_return(candidate: RemovalCandidate) -> date:
    seat = candidate.subscription
    return timezone.localtime(seat.returned_at if seat else None).date()

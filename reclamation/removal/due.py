"""Which attempts of a profile a run has to go on with now, and what their candidates say where it cannot."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from profiles.models import IntegrationProfile
from reclamation import workflow
from reclamation.models import RemovalAttempt
from subscriptions.models import Subscription

State = RemovalAttempt.State
AFTER_ERROR = timedelta(minutes=15)
# Why what is due waits: the profile is not connected, or its vendor could not be asked.
NOT_CONNECTED, VENDOR_DOWN = "connected", "vendor"
# What a worker goes on with as soon as it is due.
WORKED_ON = (State.APPROVED, State.GATED, State.JOB, State.UNKNOWN, State.RESTORING, State.MOVING)


def attempts_due(now: datetime) -> QuerySet[RemovalAttempt]:
    """Every attempt that a run has something to do with now.

    Of removed members, those whose undo window is over and those that the vendor lists again; of those that need a
    person, those at which somebody asked to have a look.
    """
    timely = Q(not_before=None) | Q(not_before__lte=now)
    worked_on = Q(state__in=WORKED_ON)
    removed = Q(state=State.REMOVED) & (Q(move_after__lte=now) | Exists(_seat_listed_again()))
    looked_at = Q(state=State.NEEDS_HUMAN, not_before__isnull=False)
    rows = RemovalAttempt.objects.filter(timely, closed_at=None, profile__isnull=False)
    return rows.filter(worked_on | removed | looked_at)


def _seat_listed_again() -> QuerySet[Subscription]:
    """The seat of a removed member that the vendor lists, after we ended it."""
    return Subscription.objects.filter(
        profile__vendor=OuterRef("vendor"),
        profile__team_id=OuterRef("team_id"),
        external_id=OuterRef("external_id"),
        ended_at=None,
        returned_at__gt=OuterRef("withdrawn_at"),
    )


def of_profile(profile: IntegrationProfile, now: datetime) -> QuerySet[RemovalAttempt]:
    """What is due of one profile."""
    return attempts_due(now).filter(profile=profile)


def keys(profile: IntegrationProfile, state: str, now: datetime) -> list[int]:
    """The keys of what is due of a profile in one state, in the order in which it was approved."""
    rows = of_profile(profile, now).filter(state=state).order_by(F("batch_id").asc(nulls_last=True), "pk")
    return list(rows.values_list("pk", flat=True))


def say_why(profile: IntegrationProfile, now: datetime, *, code: str, text: str) -> None:
    """Have the candidates of everything that is due of a profile say why it waits."""
    for attempt in of_profile(profile, now).select_related("candidate"):
        workflow.hold(attempt.candidate, code=code, text=text)


def forget_why(profile: IntegrationProfile, now: datetime, *, codes: Collection[str]) -> None:
    """What is due goes on now: it does not wait for one of these reasons any more."""
    for attempt in of_profile(profile, now).filter(candidate__hold__in=codes).select_related("candidate"):
        workflow.hold(attempt.candidate, code="", text="")


def postpone(profile: IntegrationProfile, *, now: datetime, why: str) -> int:
    """Have everything that is due of a profile wait, because its vendor cannot be asked now. Returns how much it is."""
    say_why(profile, now, code=VENDOR_DOWN, text=why)
    until = now + AFTER_ERROR
    waiting = RemovalAttempt.objects.filter(profile=profile, closed_at=None, lease_until=None)
    soon = Q(not_before=None) | Q(not_before__lt=until)
    return waiting.filter(soon, state__in=(*WORKED_ON, State.REMOVED)).update(not_before=until)


def try_held_again(profile: IntegrationProfile) -> int:
    """After a refresh: everything of a profile that waits because of a fact is due at once, since the fact may have
    changed. What waits because the vendor could not be asked keeps waiting. Returns how many.
    """
    held = RemovalAttempt.objects.filter(profile=profile, closed_at=None, lease_until=None, not_before__isnull=False)
    held = held.filter(state__in=(State.APPROVED, State.GATED)).exclude(candidate__hold__in=("", VENDOR_DOWN))
    return held.update(not_before=None)

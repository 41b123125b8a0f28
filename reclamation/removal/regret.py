"""Regret: use from before a removal that was learned after it, while the removal can still be undone.

The vendor's log is late by hours, so a removal on the best evidence may still have been wrong. The candidate's page and
the start page then offer *Restore*, and a mail says so. Two such alarms of a profile in seven days press its switch.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import attempts, rules
from reclamation.asking import tell
from reclamation.models import RemovalAttempt
from reclamation.removal import switch
from samsaas import audit
from subscriptions.activity import last_used
from subscriptions.models import LastActivity

MOST_ALARMS = 2
WITHIN = timedelta(days=7)
REASON = "Two members were removed within seven days who had used their account shortly before."


def watch(*, now: datetime) -> int:
    """Raise the alarm for every removed member whose use from before its removal is known now. Returns how many."""
    return sum(_alarm(attempt, used_at, now) for attempt, used_at in _learned_late(now))


def _learned_late(now: datetime) -> list[tuple[RemovalAttempt, datetime]]:
    """Removed members, leavers apart, with the latest use that is known from before their removal."""
    removed = RemovalAttempt.objects.filter(state=RemovalAttempt.State.REMOVED, regret_at=None, dry_run=False)
    removed = removed.filter(restorable_until__gt=now, candidate__is_leaver=False)
    known = removed.select_related("candidate__rule", "candidate__batch", "profile").annotate(
        used_at=Subquery(_latest_use())
    )
    return [(one, one.used_at) for one in known if one.used_at and _counts(one, one.used_at)]


def _latest_use() -> Any:
    """The latest use of the member's seats of all profiles of the team."""
    seats = Q(
        subscription__external_id=OuterRef("external_id"),
        subscription__profile__vendor=OuterRef("vendor"),
        subscription__profile__team_id=OuterRef("team_id"),
    )
    return LastActivity.objects.filter(seats).order_by().values("subscription__external_id").values(latest=Max("at"))


def _counts(attempt: RemovalAttempt, used_at: datetime) -> bool:
    """Use within the threshold before the removal. What is dated after it cannot be, and is ignored."""
    removed_at = attempt.withdrawn_at or attempt.opened_at
    days = rules.settings_of(attempt.candidate).threshold_days
    return last_used.midnight(removed_at, days - 1) <= used_at < removed_at


@transaction.atomic
def _alarm(attempt: RemovalAttempt, used_at: datetime, now: datetime) -> bool:
    try:
        attempts.seize_in_place(attempt, regret_at=now)
    except attempts.Lost:
        return False
    audit.record(None, "raised regret alarm", attempt.candidate, used_at=used_at.isoformat())
    tell.tell_regret(attempt, used_at=used_at, now=now)
    profile = attempt.profile
    if profile and _alarms(profile, now) >= MOST_ALARMS and not switch.paused_because(profile):
        switch.pause(profile, reason=REASON, by=None, now=now)
    return True


def _alarms(profile: IntegrationProfile, now: datetime) -> int:
    return RemovalAttempt.objects.filter(profile=profile, regret_at__gt=now - WITHIN).count()


def is_open_alarm() -> Q:
    """For attempts: removed, regretted, and still to be undone."""
    state = RemovalAttempt.State.REMOVED
    return Q(state=state, regret_at__isnull=False, restorable_until__gt=timezone.now())


def open_alarms() -> QuerySet[RemovalAttempt]:
    """Removals that were regretted and can still be undone."""
    rows = RemovalAttempt.objects.filter(is_open_alarm())
    return rows.select_related("candidate").order_by("restorable_until")

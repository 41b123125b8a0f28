"""Make the batch of a profile's rules in mode automatic, once per find.

A find that brings many more proposals than usual is believed to be an accident, such as a directory that marks
everybody as having left: nobody is asked and nothing is removed automatically that day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from reclamation import jump
from reclamation.models import ReclamationRule, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, limits
from reclamation.states import State
from reclamation.sums import FIND

NEVER_AUTOMATIC = {"active_after_leaving", "came_back"}


def run(profile: IntegrationProfile, *, now: datetime) -> RemovalBatch | None:
    """The batch of what rules in mode automatic have ready in this profile; None where there is nothing, or too much.

    Where not all fit below the team's ceiling, the oldest do.
    """
    found = [one for one in _candidates(profile, now) if not NEVER_AUTOMATIC & set(one.evidence.get("notes", ()))]
    if not found or must_wait(profile, now):
        return None
    room = limits.figures_for(profile, now=now).room
    return batches.make(found[:room], by=None, now=now) if room else None


def _candidates(profile: IntegrationProfile, now: datetime) -> Any:
    automatic = RemovalCandidate.objects.open().filter(
        profile=profile,
        state=State.READY,
        opened_by=None,
        rule__mode=ReclamationRule.Mode.AUTOMATIC,
        rule__active=True,
        rule__reviewed_at__isnull=False,
    )
    acting = automatic.filter(Q(rule__observe_until=None) | Q(rule__observe_until__lte=now))
    return batches.take_ready(acting)


def must_wait(profile: IntegrationProfile, now: datetime) -> bool:
    """Whether today's find brought far more proposals than usual, or a find is under way, so that nobody knows yet."""
    under_way = profile.runs.for_process(FIND).active().exists()
    return under_way or profile.pk in jump.jumped_today([profile], now)


def profiles_with_new_finds() -> list[int]:
    """Profiles with candidates for rules in mode automatic, whose last find no run of removals has followed yet."""
    waiting = RemovalCandidate.objects.open().filter(
        state=State.READY, opened_by=None, rule__mode=ReclamationRule.Mode.AUTOMATIC, profile__isnull=False
    )
    found = []
    for pk in waiting.order_by().values_list("profile", flat=True).distinct():
        runs = JobRun.objects.filter(profile=pk)
        find = runs.for_process(FIND).filter(state=JobRun.State.SUCCEEDED).first()
        if find and find.finished_at and not runs.for_process(base.RECLAIM).filter(pk__gt=find.pk).exists():
            found.append(pk)
    return found

"""Make the batch of a profile's rules in mode automatic, once per find.

A find that brings many more proposals than usual is believed to be an accident, such as a directory that marks
everybody as having left: nobody is asked and nothing is removed automatically that day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from reclamation.models import ReclamationRule, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, limits
from reclamation.states import State

FIND = "find_candidates"
FEW = 10
NEVER_AUTOMATIC = {"active_after_leaving", "came_back"}


def run(profile: IntegrationProfile, *, now: datetime) -> RemovalBatch | None:
    """The batch of what rules in mode automatic have ready in this profile; None where there is nothing, or too much.

    Where not all fit below the team's ceiling, the oldest do.
    """
    found = [one for one in _candidates(profile, now) if not NEVER_AUTOMATIC & set(one.evidence.get("notes", ()))]
    if not found or jump_of(profile, now=now):
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


def jump_of(profile: IntegrationProfile, *, now: datetime) -> dict[str, int] | None:
    """The figures of today's find, `new` and `usual`, if it brought far more proposals than usual; None otherwise.

    While a find is under way nobody knows, which counts as too many.
    """
    last = profile.runs.filter(process=FIND).exclude(state=JobRun.State.FAILED).first()
    jump = last.facts.get("jump") if last else None
    if not last or timezone.localtime(last.created_at).date() != timezone.localtime(now).date():
        return None
    if jump is None:
        return {"new": 0, "usual": 0} if last.is_active else None
    return jump if jump["new"] > max(FEW, 2 * jump["usual"]) else None

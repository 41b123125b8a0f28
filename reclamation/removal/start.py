"""Open the attempt at a removal that nobody objects to any more, and have a run go on with it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from reclamation import attempts, workflow
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.states import State

BY_OTHER_PROFILE = "other_removal"
BEING_REMOVED = "The same account is being removed through another profile of the team."


@transaction.atomic
def approve(candidate: RemovalCandidate, now: datetime, *, by: User | None = None) -> RemovalAttempt | None:
    """The attempt of a candidate in Awaiting Revocation that has none, and a run that goes on with it.

    None where the same account is being removed through another profile already; this candidate waits for that.
    """
    try:
        attempt = attempts.open_for(candidate, now=now)
    except attempts.MemberTaken:
        workflow.hold(candidate, code=BY_OTHER_PROFILE, text=BEING_REMOVED)
        return None
    workflow.hold(candidate, code="", text="")
    if candidate.profile:
        request_run(candidate.profile, by=by)
    return attempt


def request_run(profile: IntegrationProfile, *, by: User | None) -> JobRun | None:
    """A run that goes on with the removals of this profile. One that has begun may have missed what is new, so the new
    one waits behind it."""
    trigger = JobRun.Trigger.MANUAL if by else JobRun.Trigger.SCHEDULE
    asked = queue.Request(base.RECLAIM, trigger, profile=profile, by=by)
    return queue.request(asked, behind=True)[0]


def waits_for_attempt() -> list[RemovalCandidate]:
    """Candidates that are Awaiting Revocation and have no open attempt, such as those of a second profile."""
    pending = RemovalCandidate.objects.open().filter(state=State.AWAITING_REVOCATION, profile__isnull=False)
    pending = pending.exclude(attempts__closed_at=None, attempts__dry_run=False, attempts__isnull=False)
    return list(pending.select_related("rule", "batch", "profile").order_by("pk")[:1000])

"""Close the open candidates and removals of a profile that is being deleted. Closed candidates are not changed.

This is a step of `profiles.delete_profile`, which calls it through the setting `PROFILE_DELETION_STEPS`, in its own
transaction. By then the seats are deleted, so that nobody can propose one any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from profiles.delete_profile import Busy, Consequence
from profiles.models import IntegrationProfile
from reclamation import attempts, workflow
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.states import State as CandidateState

REASON = "The integration profile was deleted."
LEFT_THERE = "The integration profile was deleted, and the files stay at the vendor."
UNDER_WAY = (
    "Members are being removed, restored, or their files moved. Delete the profile when that has ended, which the list "
    "of removals shows."
)
State = RemovalAttempt.State
BUSY = (State.CALLING, State.JOB, State.UNKNOWN, State.RESTORING, State.MOVING)
KEPT_AT_VENDOR = timedelta(days=180)  # for most teams; the vendor's console says for how long exactly
MOST_NAMES = 20


def check(profile: IntegrationProfile) -> None:
    """Raises `Busy` while the outcome of a call to the vendor is not known or not over."""
    if _attempts(profile).filter(state__in=BUSY).exists():
        raise Busy(UNDER_WAY)


def warnings(profile: IntegrationProfile) -> list[str]:
    """The removed members whose files nobody moves any more, by name."""
    waiting = list(_waiting(profile).select_related("candidate").order_by("withdrawn_at"))
    if not waiting:
        return []
    names = ", ".join(one.candidate.seat_name for one in waiting[:MOST_NAMES])
    more = f" and {len(waiting) - MOST_NAMES} more" if len(waiting) > MOST_NAMES else ""
    first = waiting[0].withdrawn_at
    until = f"{timezone.localtime(first + KEPT_AT_VENDOR):%-d %b %Y}" if first else "the vendor deletes them"
    return [
        f"The files of {len(waiting)} removed members stay at the vendor and can be moved there by hand until about "
        f"{until}: {names}{more}."
    ]


def _attempts(profile: IntegrationProfile) -> QuerySet[RemovalAttempt]:
    return RemovalAttempt.objects.filter(profile=profile, closed_at=None, dry_run=False)


def _waiting(profile: IntegrationProfile) -> QuerySet[RemovalAttempt]:
    """Attempts of members who were removed and whose files have not been moved."""
    return _attempts(profile).filter(withdrawn_at__isnull=False)


def will_be_kept(profile: IntegrationProfile) -> list[Consequence]:
    """The candidates that are kept, and what becomes of them; nothing where there are none."""
    candidates = RemovalCandidate.objects.filter(profile=profile)
    found = [
        Consequence(candidates.open().count(), "open removal candidates, which become Closed Skipped"),
        Consequence(candidates.closed().count(), "closed removal candidates"),
    ]
    return [one for one in found if one.count]


def run(profile: IntegrationProfile, *, by: User, now: datetime) -> None:
    """Close the profile's open candidates: complete where the member was removed, as skipped otherwise.

    Raises `Busy`.
    """
    check(profile)
    for attempt in _waiting(profile).select_related("candidate"):
        attempts.seize(attempt, State.CLOSED, closed_at=now, error_message=LEFT_THERE)
        workflow.close(attempt.candidate, CandidateState.CLOSED_COMPLETE, reason=LEFT_THERE, by=by, now=now)
    attempts.cancel_all(profile, now=now)
    workflow.skip_all(profile, reason=REASON, by=by, now=now)

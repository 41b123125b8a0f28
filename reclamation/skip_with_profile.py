"""Close the open candidates of a profile that is being deleted. Closed candidates are not changed.

This is a step of `profiles.delete_profile`, which calls it through the setting `PROFILE_DELETION_STEPS`, in its own
transaction. By then the seats are deleted, so that nobody can propose one any more.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from profiles.delete_profile import Consequence
from profiles.models import IntegrationProfile
from reclamation import workflow
from reclamation.models import RemovalCandidate

REASON = "The integration profile was deleted."


def will_be_kept(profile: IntegrationProfile) -> list[Consequence]:
    """The candidates that are kept, and what becomes of them; nothing where there are none."""
    candidates = RemovalCandidate.objects.filter(profile=profile)
    found = [
        Consequence(candidates.open().count(), "open removal candidates, which become Closed Skipped"),
        Consequence(candidates.closed().count(), "closed removal candidates"),
    ]
    return [one for one in found if one.count]


def run(profile: IntegrationProfile, *, by: User, now: datetime) -> None:
    """Close the profile's open candidates as skipped."""
    workflow.skip_all(profile, reason=REASON, by=by, now=now)

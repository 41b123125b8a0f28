"""Request new matching runs after something that matching reads has changed."""

from __future__ import annotations

from django.contrib.auth.models import User

from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun

MATCH = "match_people"


def ask_everywhere(*, by: User | None) -> int:
    """Request matching for every profile that was downloaded before. Returns how many runs are new."""
    profiles = IntegrationProfile.objects.filter(refreshed_at__isnull=False)
    return sum(queue.request_anew(one, MATCH, trigger=JobRun.Trigger.MANUAL, by=by)[1] for one in profiles)

"""A job of the product, run to its end in this process. Django has to be ready before this is imported."""

from __future__ import annotations

from django.utils import timezone

from profiles.jobs import execute
from profiles.jobs.job import Verb
from profiles.models import IntegrationProfile, JobRun


def run(profile: IntegrationProfile, process: str, verb: Verb) -> JobRun:
    """The run as it ended. Raises SystemExit unless it succeeded."""
    row = JobRun.objects.create(
        profile=profile,
        profile_name=str(profile),
        process=process,
        trigger=JobRun.Trigger.MANUAL,
        created_at=timezone.now(),
    )
    execute.run(row.pk, verb)
    row.refresh_from_db()
    if row.state != JobRun.State.SUCCEEDED:
        raise SystemExit(f"The run ended as {row.state}: {row.error_message}")
    return row

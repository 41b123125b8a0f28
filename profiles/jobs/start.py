"""Start a process of a profile by hand: refuse what cannot work, and say what a person has to do first."""

from __future__ import annotations

from django.contrib.auth.models import User

from profiles.jobs import queue
from profiles.jobs.process import find_process, refreshing_keys
from profiles.models import IntegrationProfile, JobRun


class NotReady(Exception):
    """The run would be refused or fail at once; the text says what to do first."""


def run(
    profile: IntegrationProfile, process: str, *, by: User, in_chain: bool = True, accept_drop: bool = False
) -> tuple[JobRun | None, bool]:
    """As `queue.request`, triggered by hand. A refreshing process begins a chain unless told otherwise.

    Raises `NotReady`.
    """
    if reason := refusal(profile, process):
        raise NotReady(reason)
    asked = queue.Request(
        process,
        JobRun.Trigger.MANUAL,
        profile=profile,
        by=by,
        in_chain=in_chain and process in refreshing_keys(),
        accept_drop=accept_drop,
    )
    return queue.request(asked)


def refusal(profile: IntegrationProfile, process: str) -> str:
    """Why the process cannot start now; empty when it can."""
    declared = find_process(process)
    return declared.start_elsewhere if declared.of_subject else declared.refusal(profile)


def can_confirm(run: JobRun) -> bool:
    """Whether a held run still waits for a person. Once a later run has ended, what it showed is no longer what is."""
    if run.profile is None or run.state != JobRun.State.HELD:
        return False
    ended = (JobRun.State.SUCCEEDED, JobRun.State.HELD)
    later = JobRun.objects.filter(profile=run.profile, process=run.process, state__in=ended, pk__gt=run.pk)
    return not later.exists()

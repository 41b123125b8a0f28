"""The processes of this app: re-examine candidates."""

from __future__ import annotations

from django.urls import reverse

from profiles.jobs.process import Counter, Link, Process
from profiles.models import IntegrationProfile, JobRun
from reclamation import reexamine

NO_SEATS = "Nothing has been downloaded yet, so there is no candidate to look at."


def _needs_download(profile: IntegrationProfile) -> str:
    return "" if profile.refreshed_at else NO_SEATS


def _open_candidates(run: JobRun) -> list[Link]:
    if run.profile_id is None:
        return []
    url = f"{reverse('candidate_list')}?profile={run.profile_id}&state=all"
    return [Link("Open the removal candidates", url, "candidate_list")]


REEXAMINE_CANDIDATES = Process(
    key=reexamine.REEXAMINE,
    label="Re-examine candidates",
    unit="Candidates",
    verb=reexamine.run,
    counters={
        "seen": Counter("Looked at", "removal candidates that were open"),
        "canceled": Counter("Closed Canceled", "used again, or active again"),
        "skipped": Counter("Closed Skipped", "must not be removed any more, or is gone; its history says why"),
        "completed": Counter("Closed Complete", "the removal was pending, and the account is gone", True),
        "flagged": Counter("Attention Required", "something changed that a person has to weigh"),
        "cleared": Counter("Ready again", "what needed attention is over", True),
    },
    refusal=_needs_download,
    done_text="Every open removal candidate was looked at again.",
    canceled_text="Candidates that were closed before stay closed; the next run looks at the others.",
    ways_on=_open_candidates,
)
PROCESSES = [REEXAMINE_CANDIDATES]

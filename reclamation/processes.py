"""The processes of this app: re-examine candidates, reclaim subscriptions."""

from __future__ import annotations

from django.urls import reverse

from profiles.connectors import base
from profiles.jobs.process import Counter, Link, Process
from profiles.models import IntegrationProfile, JobRun
from profiles.processes import needs_vendor_process
from reclamation import reexamine
from reclamation.removal import reclaim

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
RECLAIM = Process(
    key=base.RECLAIM,
    label="Reclaim subscriptions",
    unit="Removals",
    verb=reclaim.run,
    counters={
        "removed": Counter("Removed", "the vendor says that the account is removed"),
        "launched": Counter("Begun", "the vendor works on it; a later look says how it ended", True),
        "held": Counter("Held", "a guard of the gate lets them wait; the candidate says for what"),
        "closed": Counter("Closed", "a fact forbids the removal, or the account is gone already"),
        "human": Counter("Need a person", "the vendor or a guard refused, see the attempts"),
        "unknown": Counter("Answer lost", "nobody knows yet; samsaas looks again in half an hour", True),
        "settled": Counter("Followed up", "earlier calls whose outcome was asked for", True),
        "moved": Counter("Files", "removed members whose files were looked after", True),
        "restored": Counter("Restored", "removals that were undone", True),
        "dry": Counter("Dry run", "decided, and nothing called", True),
    },
    refusal=needs_vendor_process(base.RECLAIM),
    survives_outages=False,
    done_text="Everything that was due was done.",
    canceled_text="Removals that were made before stay; what had not begun waits for the next run.",
    ways_on=_open_candidates,
)
PROCESSES = [REEXAMINE_CANDIDATES, RECLAIM]

"""The processes of this app: re-examine candidates, find candidates, reclaim subscriptions, back-test a rule."""

from __future__ import annotations

from django.urls import reverse

from profiles.connectors import base
from profiles.jobs.process import Counter, Link, Process
from profiles.models import IntegrationProfile, JobRun
from profiles.processes import needs_vendor_process
from reclamation import find_candidates, reexamine
from reclamation.back_tests import replay
from reclamation.models import BackTest
from reclamation.removal import reclaim

NOT_REFRESHED = "The profile is not refreshed: it is a draft, or needs authorization. Connect it first."
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


def _needs_connection(profile: IntegrationProfile) -> str:
    """Candidates rest on fresh facts, so a profile that is not refreshed finds none."""
    is_connected = profile.attention != IntegrationProfile.Attention.NEEDS_AUTHORIZATION
    if profile.status == IntegrationProfile.Status.PUBLISHED and is_connected:
        return _needs_download(profile)
    return NOT_REFRESHED


def _open_reasons(run: JobRun) -> list[Link]:
    if run.profile_id is None:
        return []
    return [
        Link("Why and why not", reverse("reason_sums", args=[run.profile_id]), "reason_sums"),
        *_open_candidates(run),
    ]


FIND_CANDIDATES = Process(
    key=find_candidates.FIND,
    label="Find candidates",
    unit="Subscriptions",
    verb=find_candidates.run,
    counters={
        "seen": Counter("Judged", "listed subscriptions, each with exactly one reason"),
        "proposed": Counter("Proposed", "for which a removal candidate was opened now"),
        "nobody_to_ask": Counter("Nobody to ask", "of those proposed: no e-mail address is known", True),
        "observed": Counter("Only observed", "their rule observes, so no candidate was opened", True),
        "skipped": Counter("Closed Skipped", "their rule was changed and no longer proposes them", True),
        "canceled": Counter("Closed Canceled", "needed attention for 30 days, and nobody decided", True),
    },
    refusal=_needs_connection,
    done_text="Every listed subscription was judged. What was proposed waits for a person; nothing was removed.",
    canceled_text="Candidates that were opened before stay open; the next run looks at the others.",
    ways_on=_open_reasons,
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


def _open_back_test(run: JobRun) -> list[Link]:
    test = BackTest.objects.filter(run=run.pk).first()
    return [Link("Open the back-test", test.get_absolute_url(), "backtest_detail")] if test else []


BACK_TEST = Process(
    key=replay.BACK_TEST,
    label="Back-test a rule",
    unit="Days replayed",
    verb=replay.run,
    counters={
        "proposed": Counter("Proposed", "subscriptions that the settings would have proposed"),
        "back": Counter("Came back", "of those proposed: used again within the horizon"),
        "censored": Counter("Not counted", "of those proposed: it is not known what became of them", True),
    },
    done_text="Every day was replayed.",
    of_subject=True,
    survives_outages=False,
    canceled_text="Nothing was changed. Start another back-test from the rule.",
    ways_on=_open_back_test,
    start_elsewhere="A back-test is started from its rule.",
)
PROCESSES = [REEXAMINE_CANDIDATES, FIND_CANDIDATES, RECLAIM, BACK_TEST]

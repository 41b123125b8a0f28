"""Pages that renew themselves: from step to step of a chain, on to the run that waited, and not for ever."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs import chain, execute, queue
from profiles.models import IntegrationProfile, JobRun, ScheduledJob
from samsaas import schedule
from subscriptions.rematch import MATCH
from tests import factories, pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
POLL = re.compile(r'hx-get="([^"]+)"\s+hx-trigger="every 2s"')


@pytest.fixture
def stepwise(connected: IntegrationProfile) -> IntegrationProfile:
    """The first download has ended; nobody has asked for the next step yet, as up to ten seconds without Redis."""
    worlds.work()
    return connected


def told(client: Any, path: str) -> str:
    return pages.text_of(client.get(path).content.decode())


def polls(client: Any, path: str) -> str:
    """What the page asks for every two seconds; empty when it stands still."""
    found = POLL.search(client.get(path).content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def renews(client: Any, address: str) -> bool:
    """Whether that answer has the whole page loaded anew."""
    return "HX-Refresh" in client.get(address).headers


def last_run() -> JobRun:
    return JobRun.objects.latest("pk")


def page_of(profile: IntegrationProfile) -> str:
    return f"/integration-profiles/{profile.pk}/"


def test_the_profile_page_goes_from_step_to_step_by_itself_and_then_stands_still(
    integrator: Any, stepwise: IntegrationProfile
) -> None:
    page = page_of(stepwise)
    for name in ("Match people", "Pull user activity", "Re-examine candidates", "Find candidates"):
        address = polls(integrator, page)
        assert f"Next: {name}" in told(integrator, page) and f"Next: {name}" in told(integrator, address)
        assert not renews(integrator, address), "nothing new yet"
        assert schedule.follow() == 1
        assert renews(integrator, address)
        assert polls(integrator, page) == f"/runs/{last_run().pk}/progress/?brief"
        worlds.work()
        assert renews(integrator, f"/runs/{last_run().pk}/progress/?brief"), "the end of a run changes the page"
    assert polls(integrator, page) == "" and "Next:" not in told(integrator, page)


def test_the_page_of_a_run_says_what_comes_next_and_then_leads_there(
    integrator: Any, stepwise: IntegrationProfile
) -> None:
    page = last_run().get_absolute_url()
    address = polls(integrator, page)
    assert "Daily refresh Next: Match people, in a moment" in told(integrator, page)
    assert not renews(integrator, address)
    schedule.follow()
    assert renews(integrator, address) and polls(integrator, page) == ""
    assert f"Followed by Match people #{last_run().pk}" in told(integrator, page)


ENDED = {
    "failed": {"state": "failed"},
    "held": {"state": "held"},
    "canceled": {"state": "canceled"},
    "asked for alone": {"in_chain": False},
    "stuck, as the beat is down": {"finished_at": Now() - chain.NEXT_STEP_TIMEOUT - timedelta(minutes=1)},
}


@pytest.mark.parametrize("changes", ENDED.values(), ids=ENDED)
def test_nobody_waits_for_a_step_that_does_not_come(
    integrator: Any, stepwise: IntegrationProfile, changes: dict[str, Any]
) -> None:
    waiting = polls(integrator, page_of(stepwise))
    JobRun.objects.filter(pk=last_run().pk).update(**changes)
    assert renews(integrator, waiting), "a page that waited learns of it"
    for page in (page_of(stepwise), last_run().get_absolute_url()):
        assert polls(integrator, page) == "" and "Next:" not in told(integrator, page)


def test_a_paused_step_is_not_announced(integrator: Any, stepwise: IntegrationProfile) -> None:
    ScheduledJob.objects.filter(process=base.ACTIVITY).update(paused=True)
    schedule.follow()
    worlds.work()
    assert last_run().process == MATCH
    for name in ("Re-examine candidates", "Find candidates"):
        assert f"Next: {name}" in told(integrator, page_of(stepwise))
        schedule.follow()
        worlds.work()
    assert polls(integrator, page_of(stepwise)) == ""


def test_between_two_steps_nothing_else_can_be_started_by_mistake(
    integrator: Any, stepwise: IntegrationProfile
) -> None:
    assert "Download subscriptions" not in pages.buttons(integrator.get(page_of(stepwise)).content.decode())
    JobRun.objects.update(finished_at=Now() - timedelta(hours=1))
    assert "Download subscriptions" in pages.buttons(integrator.get(page_of(stepwise)).content.decode())


def test_the_pages_say_that_another_run_follows_and_which_one_it_waits_for(integrator: Any) -> None:
    profile = factories.profile(refreshed_at=timezone.now())
    run, _ = queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=profile))
    job = execute.claim(run.pk) if run else None
    assert job
    before = pages.text_of(integrator.get(job.run.get_absolute_url()).content.decode())
    following, _ = queue.request_anew(profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=integrator.user)
    assert following and "Another run follows" not in before
    for path in (f"/runs/{job.run.pk}/", f"/runs/{job.run.pk}/progress/"):
        assert f"Another run follows Match people #{following.pk}" in pages.text_of(
            integrator.get(path).content.decode()
        )
    page = pages.text_of(integrator.get(following.get_absolute_url()).content.decode())
    assert "Waits its turn" in page and f"Waits for Match people #{job.run.pk}" in page
    watched = integrator.get(f"/integration-profiles/{profile.pk}/").content.decode()
    assert f"/runs/{job.run.pk}/progress/?brief" in watched, "the run at work is the one to look at"
    job.finish(JobRun.State.SUCCEEDED)
    watched = integrator.get(f"/integration-profiles/{profile.pk}/").content.decode()
    assert f"/runs/{following.pk}/progress/?brief" in watched, "and then the one behind it"

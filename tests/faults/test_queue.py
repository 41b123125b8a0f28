"""The queue when its surroundings misbehave: a broker that is down, silent or emptied, and everything said twice."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from celery import current_app
from django.db.models.functions import Now
from django.utils import timezone

from profiles import tasks
from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import JobRun
from profiles.models.run import VALIDATE
from samsaas import schedule
from tests import servers, worlds
from tests.faults.crowd import at_once
from tests.faults.tenant import LIST, Tenant

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
MANUAL = JobRun.Trigger.MANUAL


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def use(url: str) -> None:
        monkeypatch.setattr(current_app.conf, "broker_url", url)
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)

    return use


@pytest.mark.parametrize("trouble", ["silent", "closed"])
def test_a_click_is_answered_and_kept_while_the_broker_is_in_trouble(
    integrator: Any, tenant: Tenant, broker: Callable[[str], None], silent: str, trouble: str, measured: Any
) -> None:
    """The row is there, the page comes back, and the sweeper rings soon: no minute is lost to a bell nobody heard."""
    broker(silent if trouble == "silent" else f"redis://127.0.0.1:{servers.free_port()}/0")
    began = time.monotonic()
    answer = integrator.post(f"/integration-profiles/{tenant.profile.pk}/download/")
    spent = time.monotonic() - began
    run = JobRun.objects.get(state="queued")
    assert answer.status_code == 302 and integrator.get("/runs/").status_code == 200
    assert tenant.go_on(run).state == "succeeded"
    fault, injected = (
        ("F36", "Redis takes connections and is silent") if trouble == "silent" else ("F35", "Redis is down")
    )
    measured(fault, f"{injected}, at a click", "page", spent, must="≤ 2 s")


def test_a_bell_nobody_heard_is_rung_again_within_seconds(
    draft: Any, broker: Callable[[str], None], redis_url: str
) -> None:
    broker(f"redis://127.0.0.1:{servers.free_port()}/0")
    queue.request(queue.Request(base.DOWNLOAD, MANUAL, profile=draft))
    assert queue.sweep()["rung"] == 0
    JobRun.objects.update(rung_at=JobRun.objects.get().rung_at - queue.TRY_AGAIN)
    broker(redis_url)
    with redis.Redis.from_url(redis_url) as server:
        server.flushall()
        assert queue.sweep()["rung"] == 1 and server.llen("celery") == 1
        server.flushall()


def test_a_broker_that_forgot_its_messages_is_told_again(
    connected: Any, broker: Callable[[str], None], redis_url: str, measured: Any
) -> None:
    """A minute after the click the sweeper rings for what nobody claimed; the age of the click is set, not waited."""
    worlds.work_on()
    broker(redis_url)
    clicks = [worlds.draft_profile(f"Dropbox {number}") for number in range(10)]
    with redis.Redis.from_url(redis_url) as server:
        server.flushall()
        asked = {queue.request(queue.Request(base.DOWNLOAD, MANUAL, profile=profile))[0].pk for profile in clicks}  # type: ignore[union-attr]
        assert server.llen("celery") == len(clicks)
        server.flushall()
        assert queue.sweep()["rung"] == 0
        JobRun.objects.filter(state="queued").update(rung_at=Now() - queue.RING_AGAIN)
        time.sleep(0.01)
        queue.sweep()
        rung = {json.loads(message)["headers"]["argsrepr"] for message in server.lrange("celery", 0, -1)}
        server.flushall()
    lost = len(asked) - len(rung & {f"({pk},)" for pk in asked})
    measured("F37", f"FLUSHALL with {len(clicks)} runs asked for", "runs lost", lost)


def test_twenty_clicks_make_one_run(tenant: Tenant, measured: Any) -> None:
    answers = at_once(20, lambda: queue.request(queue.Request(base.DOWNLOAD, MANUAL, profile=tenant.profile)))
    rows = JobRun.objects.filter(state="queued")
    assert [fresh for _, fresh in answers].count(True) == 1
    assert {run.pk for run, _ in answers} == {rows.get().pk}
    measured("F34", "20 clicks in one moment", "rows", rows.count(), must="= 1")


def test_two_beats_make_one_run_a_local_date(tenant: Tenant, settings: Any, measured: Any) -> None:
    settings.DAILY_REFRESH_AT = "00:00"
    assert at_once(8, schedule.start_due) == [None] * 8
    worlds.work_on()
    assert at_once(8, schedule.start_due) == [None] * 8
    assert at_once(8, schedule.follow) == [0] * 8
    rows = JobRun.objects.filter(trigger="schedule").count()
    measured("F34", "8 beats in one moment, and again when the run was over", "rows of a local date", rows, must="= 1")


def test_eight_beats_follow_a_step_once(tenant: Tenant, measured: Any) -> None:
    run = tenant.download(in_chain=True)
    at_once(8, schedule.follow)
    measured("F34", "8 sweeps go on with one chain", "next steps", JobRun.objects.filter(after=run).count(), must="= 1")


def test_a_message_delivered_ten_times_downloads_once(connected: Any, dropbox: Any, measured: Any) -> None:
    run = JobRun.objects.get(state="queued")
    dropbox.log.clear()
    assert at_once(10, lambda: tasks.execute(run.pk)) == [None] * 10
    run.refresh_from_db()
    assert (run.state, run.generation, run.attempts) == ("succeeded", 1, 1)
    listings = [route for route, _ in dropbox.log if route == LIST]
    measured("F32", "one message delivered 10 times in one moment", "listings", len(listings), must="= 1")


def test_a_message_that_comes_back_while_its_task_runs_starts_nothing(tenant: Tenant, measured: Any) -> None:
    """What Redis does to a task that runs for longer than the visibility timeout."""
    before = tenant.calls(LIST)
    run, _ = queue.request(queue.Request(base.DOWNLOAD, MANUAL, profile=tenant.profile))
    assert run
    first = threading.Thread(target=lambda: at_once(1, lambda: tasks.execute(run.pk)))
    with tenant.held(LIST) as arrived:
        first.start()
        assert arrived.wait(20)
        for _ in range(5):
            tasks.execute(run.pk)
    first.join(20)
    run.refresh_from_db()
    assert (run.state, run.generation, run.attempts) == ("succeeded", 1, 1)
    measured("F33", "5 deliveries more while the task runs", "runs that overlap", tenant.calls(LIST) - before - 1)


def test_one_consent_is_exchanged_once_however_often_its_address_is_opened(
    integrator: Any, draft: Any, dropbox: Any, measured: Any
) -> None:
    """A doubled redirect, a reload and a prefetch arrive in the same moment."""
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    cookies = integrator.cookies

    def come_back() -> int:
        client = type(integrator)()
        client.cookies = cookies
        return int(client.get(back).status_code)

    answers = at_once(20, come_back)
    assert not [answer for answer in answers if isinstance(answer, Exception) or answer >= 500]
    exchanges = [route for route, _ in dropbox.log].count("oauth2/token")
    assert JobRun.objects.get().process == VALIDATE and draft.created_at <= timezone.now()
    measured("F2", "the vendor's answer opened by 20 at once", "exchanges", exchanges, must="= 1")

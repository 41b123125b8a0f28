"""The queue when its surroundings misbehave: a broker that is down, silent or emptied, and everything said twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis
from celery import current_app
from django.db import connection
from django.utils import timezone

from profiles import queue
from profiles.connectors import base
from profiles.models import ConnectionAlias, IntegrationProfile, JobRun, ScheduledJob
from samsaas import schedule
from subscriptions import tasks
from tests import servers, worlds

MANUAL = JobRun.Trigger.MANUAL


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """What `act` gave to each of so many threads that began together; an error is a result too."""
    found: list[Any] = []
    barrier = threading.Barrier(count)

    def one() -> None:
        try:
            barrier.wait()
            found.append(act())
        except Exception as error:  # noqa: BLE001
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["silent", "closed"])
def test_a_click_is_answered_and_kept_while_the_broker_is_in_trouble(
    integrator: Any, draft: Any, broker: Any, silent: str, trouble: str
) -> None:
    """F36: the row is there, the page comes back, and the sweeper may ring later."""
    broker(silent if trouble == "silent" else f"redis://127.0.0.1:{servers.free_port()}/0")
    began = time.monotonic()
    run, fresh = queue.request(draft, base.DOWNLOAD, trigger=MANUAL)
    assert time.monotonic() - began < 3, "one second is given to connect and one to be heard"
    assert fresh and run and JobRun.objects.get().state == "queued"
    assert integrator.get("/runs/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_forgot_its_messages_is_told_again(draft: Any, broker: Any, redis_url: str) -> None:
    """F37: Redis was restarted empty; a minute later the sweeper rings for what nobody claimed."""
    broker(redis_url)
    with redis.Redis.from_url(redis_url) as server:
        server.flushall()
        run, _ = queue.request(draft, base.DOWNLOAD, trigger=MANUAL)
        assert run and server.llen("celery") == 1
        server.flushall()
        assert queue.sweep()["rung"] == 0
        JobRun.objects.update(rung_at=timezone.now() - timedelta(seconds=61))
        assert queue.sweep()["rung"] == 1 and server.llen("celery") == 1
        server.flushall()


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_make_one_run(draft: Any) -> None:
    answers = at_once(20, lambda: queue.request(draft, base.DOWNLOAD, trigger=MANUAL))
    assert [fresh for _, fresh in answers].count(True) == 1
    assert {run.pk for run, _ in answers} == {JobRun.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_two_beats_make_one_run_a_local_date(connected: Any, settings: Any) -> None:
    worlds.work()
    settings.DAILY_REFRESH_AT = "00:00"
    assert at_once(8, schedule.start_due) == [None] * 8
    assert JobRun.objects.filter(trigger="schedule").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_delivered_ten_times_downloads_once(connected: Any, dropbox: Any) -> None:
    run = JobRun.objects.get(state="queued")
    dropbox.log.clear()
    assert at_once(10, lambda: tasks.download(run.pk)) == [None] * 10
    run.refresh_from_db()
    assert (run.state, run.generation, run.attempts) == ("succeeded", 1, 1)
    listings = [route for route, _ in dropbox.log if route == "team/members/list_v2"]
    assert len(listings) == 1, "the team was listed from its first page once"


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Europe/Berlin", "02:30", "2026-03-29"),
        ("Europe/Berlin", "02:30", "2026-10-25"),
        ("America/New_York", "01:30", "2026-11-01"),
        ("Australia/Lord_Howe", "02:10", "2026-04-05"),
        ("Pacific/Apia", "00:00", "2026-06-01"),
    ],
)
def test_a_date_becomes_due_once_and_stays_due_whatever_the_clocks_do(
    settings: Any, zone: str, at: str, day: str
) -> None:
    settings.TIME_ZONE, settings.DAILY_REFRESH_AT = zone, at
    job = ScheduledJob(profile=IntegrationProfile(alias=ConnectionAlias()))
    here, moment, due = ZoneInfo(zone), datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=1), {}
    while moment < datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=2):
        due.setdefault(moment.astimezone(here).date(), []).append(schedule.due(job, moment))
        moment += timedelta(minutes=5)
    for date, told in list(due.items())[1:-1]:
        assert told == sorted(told) and told[-1], date


@pytest.mark.django_db(transaction=True)
def test_one_consent_is_exchanged_once_however_often_its_address_is_opened(
    integrator: Any, draft: Any, dropbox: Any
) -> None:
    """F2: a doubled redirect, a reload and a prefetch arrive in the same moment."""
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    cookies = integrator.cookies

    def come_back() -> int:
        client = type(integrator)()
        client.cookies = cookies
        return int(client.get(back).status_code)

    answers = at_once(20, come_back)
    assert not [answer for answer in answers if isinstance(answer, Exception) or answer >= 500]
    assert [route for route, _ in dropbox.log].count("oauth2/token") == 1
    draft.refresh_from_db()
    assert JobRun.objects.get().process == "validate_connection"

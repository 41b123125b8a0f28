"""*A day later*: the demo moves one clock for product, database and sandbox, and nobody loses their place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Sandbox
from profiles.models import ConnectionAlias, JobRun, ScheduledJob
from samsaas.demo.clock import DemoClock
from samsaas.lib import sql
from samsaas.models import AuditEntry
from tests import factories, pages

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SOON = timedelta(minutes=5)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoClock]:
    made = DemoClock(tmp_path / "clock")
    made.begin()
    yield made
    made.end()


def everybodys_time() -> tuple[Any, ...]:
    return timezone.now(), sql.database_now(), Sandbox().now()


@pytest.mark.parametrize(("days", "label"), [(1, "A day later"), (7, "A week later")])
def test_it_is_later_for_everybody_and_the_person_stays_signed_in(
    demo: DemoClock, signed_in: Any, days: int, label: str
) -> None:
    before = timezone.now()
    client = signed_in("sam_user")
    assert label in client.get("/people/").content.decode()
    answer = client.post(f"/demo/{days}/later/", {"back": "/people/"})
    assert answer["Location"] == "/people/"
    for now in everybodys_time():
        assert timedelta(0) <= now - before - timedelta(days=days) < SOON
    page = client.get("/people/")
    assert page.status_code == 200
    assert f"({days} day{'s' if days > 1 else ''} ahead)" in pages.text_of(page.content.decode())
    assert AuditEntry.objects.filter(verb="moved the demo’s clock", detail__days=days).exists()


@pytest.mark.parametrize("hours", [-2, 2])
def test_the_night_between_brings_its_refresh_whatever_the_hour(
    demo: DemoClock, signed_in: Any, connected: Any, hours: int
) -> None:
    at = timezone.localtime() + timedelta(hours=hours)
    zone = str(timezone.get_current_timezone())
    ConnectionAlias.objects.update(refresh_at=at.time(), zone=zone)
    ScheduledJob.objects.update(paused=False)
    JobRun.objects.all().delete()
    client = signed_in("sam_user")
    for _ in range(2):
        client.post("/demo/1/later/", {"back": "/"})
        run = JobRun.objects.get(process=base.DOWNLOAD, state=JobRun.State.QUEUED)
        assert run.trigger == JobRun.Trigger.SCHEDULE and run.in_chain
        JobRun.objects.update(state=JobRun.State.SUCCEEDED)


def test_the_next_start_goes_on_from_there(demo: DemoClock) -> None:
    demo.move_on(7)
    reached = timezone.now()
    demo.end()
    assert timezone.now() < reached - timedelta(days=6)
    demo.begin()
    assert reached <= timezone.now() < reached + SOON and demo.days_ahead == 7


def test_a_run_at_work_is_not_taken_for_dead(demo: DemoClock, signed_in: Any) -> None:
    factories.run(state=JobRun.State.RUNNING)
    before = timezone.now()
    answer = signed_in("sam_user").post("/demo/1/later/", {"back": "/people/"}, follow=True)
    assert "Wait until it has ended" in answer.content.decode() and timezone.now() - before < SOON


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(demo: DemoClock, signed_in: Any, back: str) -> None:
    assert signed_in("sam_user").post("/demo/1/later/", {"back": back})["Location"] == "/"


@pytest.mark.parametrize("days", [0, 2, 365])
def test_there_are_only_two_steps(demo: DemoClock, signed_in: Any, days: int) -> None:
    assert signed_in("sam_user").post(f"/demo/{days}/later/").status_code == 404


def test_outside_of_the_demo_nobody_moves_a_clock(signed_in: Any) -> None:
    client = signed_in("admin")
    assert client.post("/demo/1/later/").status_code == 404
    assert "A day later" not in client.get("/").content.decode()

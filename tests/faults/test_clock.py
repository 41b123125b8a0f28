"""Clocks: a worker whose clock is wrong, and every zone of the world through two years of daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, time as time_of_day, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connection import refresh_token
from profiles.connectors import base
from profiles.jobs import execute, queue
from profiles.models import ConnectionAlias, Credential, IntegrationProfile, JobRun, ScheduledJob
from samsaas import schedule
from tests.faults.tenant import TOKEN, Tenant

pytestmark = pytest.mark.fault
HOUR = timedelta(hours=1)
FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(2 * 365)]
TIMES = ("00:00", "02:30", "23:30")


def seconds_ago(run: JobRun, seconds: int) -> None:
    """Set the worker's last heartbeat back, by the database's clock."""
    JobRun.objects.filter(pk=run.pk).update(heartbeat_at=Now() - timedelta(seconds=seconds))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["an hour ahead", "an hour behind"])
def test_leases_are_right_on_a_machine_whose_clock_is_wrong(tenant: Tenant, measured: Any, wrong: timedelta) -> None:
    mistakes = []
    with time_machine.travel(timezone.now() + wrong, tick=True):
        run, _ = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=tenant.profile))
        assert run
        job = execute.claim(run.pk)
        assert job
        mistakes += ["a living worker's run was taken"] * queue.sweep()["lost"]
        seconds_ago(run, 50)
        mistakes += ["a living worker's run was taken"] * queue.sweep()["lost"]
        seconds_ago(run, 61)
        mistakes += ["a dead worker's run was left"] * (1 - queue.sweep()["lost"])
        again = execute.claim(run.pk)
        assert again
        again.requeue_throttled(600)
        mistakes += ["a waiting run was started"] * bool(execute.claim(run.pk))
        JobRun.objects.filter(pk=run.pk).update(not_before=Now() - timedelta(seconds=1))
        mistakes += ["a run whose time had come was left"] * (tenant.go_on(run).state != "succeeded")
        mistakes += lease_of_the_token(tenant)
    assert mistakes == []
    measured("F53", f"clock {wrong.total_seconds() / 3600:+.0f} h", "wrong leases", len(mistakes))


def lease_of_the_token(tenant: Tenant) -> list[str]:
    held = Credential.objects.get(alias=tenant.profile.alias_id)
    Credential.objects.filter(pk=held.pk).update(
        lease_owner="another", lease_until=Now() + timedelta(seconds=30), expires_at=timezone.now() - HOUR
    )
    found = ["a held lease was taken"] * refresh_token._take_lease(held.pk, "us")
    Credential.objects.filter(pk=held.pk).update(lease_until=Now() - timedelta(seconds=1))
    refreshed = tenant.calls(TOKEN)
    refresh_token.run(held.pk, now=timezone.now())
    return found + ["a dead lease was respected"] * (tenant.calls(TOKEN) - refreshed != 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["an hour ahead", "an hour behind"])
def test_no_time_is_called_known_that_the_vendor_has_not_reached(
    tenant: Tenant, measured: Any, wrong: timedelta
) -> None:
    with time_machine.travel(timezone.now() + wrong, tick=True):
        assert tenant.download().state == "succeeded" and tenant.pull().state == "succeeded"
    known = tenant.claims()[-1][1]
    ahead = max(0.0, (known - tenant.sandbox.now()).total_seconds() - 5)
    measured("F53", f"clock {wrong.total_seconds() / 3600:+.0f} h, a pull", "seconds wrongly known", round(ahead))
    measured("F53", f"clock {wrong.total_seconds() / 3600:+.0f} h, a pull", "events wrong", tenant.wrong_events())


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_is_put_back_during_a_run_changes_nothing(
    tenant: Tenant, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, handle = tenant.claims()[-1][1], type(tenant.sandbox).handle
    for process in (base.DOWNLOAD, base.ACTIVITY):
        with time_machine.travel(timezone.now() + HOUR, tick=True) as clock, monkeypatch.context() as patch:

            def put_back(sandbox: Any, request: Any, clock: Any = clock) -> Any:
                clock.shift(-timedelta(minutes=30))
                return handle(sandbox, request)

            patch.setattr(type(tenant.sandbox), "handle", put_back)
            run = tenant.execute(process)
            assert run.state == "succeeded", run.error_message
            assert run.started_at and run.finished_at and run.finished_at >= run.started_at
    wrong = tenant.wrong_seats() + tenant.wrong_events() + (tenant.claims()[-1][1] < known)
    measured("F53", "clock put back at every call of a run", "seats, events or coverage wrong", wrong)


def clocks(zone: ZoneInfo) -> tuple[Any, ...]:
    """What a zone's clocks do in these years: its first offset, and on the days of a change that of every half hour."""
    day = datetime.combine(FIRST, time_of_day(0), tzinfo=UTC) - timedelta(days=2)
    offset = day.astimezone(zone).utcoffset()
    found: list[Any] = [offset]
    for _ in range(len(DAYS) + 4):
        later = (day + timedelta(days=1)).astimezone(zone).utcoffset()
        if later != offset:
            found += [(day, [(day + half * HOUR / 2).astimezone(zone).utcoffset() for half in range(48)])]
        day, offset = day + timedelta(days=1), later
    return tuple(map(str, found))


def zones_alike() -> list[list[str]]:
    """All zones; those whose clocks do the same stand together, and need one look."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for name in sorted(available_timezones()):
        found.setdefault(clocks(ZoneInfo(name)), []).append(name)
    return list(found.values())


def dates_run(job: ScheduledJob, here: ZoneInfo) -> list[date]:
    """The local dates on which a beat that ticks at every due moment starts a run."""
    now = datetime.combine(FIRST, time_of_day(0), tzinfo=UTC) - timedelta(days=2)
    ran: list[date] = []
    while (today := now.astimezone(here).date()) <= DAYS[-1]:
        if schedule.due(job, now) and (not ran or ran[-1] != today):
            ran.append(today)
        coming = schedule.next_due(job, now).astimezone(UTC)
        assert coming > now
        now = coming
    return [day for day in ran if day >= FIRST]


def test_every_zone_of_the_world_has_one_run_a_local_date(measured: Any) -> None:
    wrong, zones = [], 0
    for names in zones_alike():
        here = ZoneInfo(names[0])
        zones += len(names)
        for at in TIMES:
            alias = ConnectionAlias(refresh_at=time_of_day.fromisoformat(at), zone=names[0])
            job = ScheduledJob(profile=IntegrationProfile(alias=alias))
            wrong += [(names[0], at, day) for day in set(DAYS) ^ set(dates_run(job, here))]
    assert wrong == []
    injected = f"{zones} zones × {len(TIMES)} times of day × {len(DAYS)} days, every change of the clocks"
    measured("F54", injected, "local dates without exactly one run", len(wrong))

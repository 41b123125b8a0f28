"""A vendor who asks to wait, is down for long, or comes and goes: bounded waits, few calls, nothing lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base, http
from profiles.connectors.base import Limits
from profiles.connectors.dropbox.sandbox import Fault
from profiles.models import JobRun
from samsaas import schedule
from tests import worlds
from tests.faults.tenant import EVENTS_MORE, LIST_MORE, Tenant

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True), pytest.mark.one_database]
DOWN = Fault(status=503, body="<html>down</html>")
TOO_MANY = {"reason": {".tag": "too_many_requests"}}
NOW = "Wed, 21 Oct 2026 07:28:00 GMT"


def slow_down(*, body: Any = "Too many requests", **headers: str) -> Fault:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Fault(status=429, body=body, headers=named)


def in_seconds(seconds: Any) -> dict[str, Any]:
    return {"error_summary": "too_many_requests/..", "error": {**TOO_MANY, "retry_after": seconds}}


THROTTLES = {
    "JSON": slow_down(body=in_seconds(7)),
    "JSON, a word for a number": slow_down(body=in_seconds("soon")),
    "JSON, 10^300 seconds": slow_down(body=in_seconds(1e300)),
    "JSON, below zero": slow_down(body=in_seconds(-7)),
    "text": slow_down(Retry_After="3"),
    "text without a header": slow_down(),
    "nothing at all": slow_down(body=""),
    "HTML": slow_down(body="<html>busy</html>"),
    "half a second": slow_down(Retry_After="0.5"),
    "a year": slow_down(Retry_After="31536000"),
    "forty digits": slow_down(Retry_After="9" * 40),
    "below zero": slow_down(Retry_After="-5"),
    "not a number": slow_down(Retry_After="NaN"),
    "a date": slow_down(Retry_After="Wed, 21 Oct 2026 07:28:20 GMT", Date=NOW),
    "a date next year": slow_down(Retry_After="Thu, 21 Oct 2027 07:28:00 GMT", Date=NOW),
    "a date long ago": slow_down(Retry_After="Wed, 21 Oct 2015 07:28:00 GMT", Date=NOW),
    "a date that is none": slow_down(Retry_After="Wed, 99 Oct 2026 77:28:00 GMT", Date=NOW),
}


def test_whatever_a_429_says_the_wait_is_bounded_and_the_list_arrives(tenant: Tenant, measured: Any) -> None:
    tenant.profile.alias.attempts = 4
    tenant.profile.alias.save()
    put_back, wrong, slots = 0.0, 0, []
    for process, more in ((base.DOWNLOAD, LIST_MORE), (base.ACTIVITY, EVENTS_MORE)):
        for fault in THROTTLES.values():
            tenant.forget_activity()
            tenant.waits.clear()
            tenant.sandbox.faults.add(more, 1, fault)
            tenant.sandbox.faults.add(more, 2, fault)
            run = tenant.execute(process)
            for _ in range(3):
                if run.state == JobRun.State.QUEUED:
                    assert run.not_before
                    put_back = max(put_back, (run.not_before - timezone.now()).total_seconds())
                    JobRun.objects.filter(pk=run.pk).update(not_before=timezone.now() - timedelta(seconds=1))
                    tenant.go_on(run)
            slots.append(max(tenant.waits, default=0))
            wrong += (run.state != "succeeded") + tenant.wrong_seats()
            wrong += tenant.wrong_events() if process == base.ACTIVITY else 0
            tenant.mend()
    injected = f"429 at two calls, {len(THROTTLES)} ways to say how long × download and pull"
    measured("F47", injected, "longest wait of a worker", max(slots), must=f"≤ {Limits().max_wait:.0f} s")
    measured("F47", injected, "longest time back in the queue", round(put_back), must=f"≤ {http.LONGEST_WAIT:.0f} s")
    measured("F47", injected, "records lost or doubled", wrong)


def test_an_outage_costs_few_calls_and_no_record(tenant: Tenant, measured: Any, settings: Any) -> None:
    """Thirty beats, half an hour's worth, while everything is down."""
    settings.DAILY_REFRESH_AT = "00:00"
    tenant.profile.alias.attempts = None
    tenant.profile.alias.save()
    before, known, called = tenant.rows(), tenant.claims(), tenant.calls()
    tenant.sandbox.faults.add("*", None, DOWN)
    for _ in range(30):
        schedule.start_due()
        worlds.work_on()
    calls = tenant.calls() - called
    run = JobRun.objects.filter(trigger="schedule").get()
    assert run.state == "queued" and run.not_before and run.outages == 1 and "503" in run.warnings[-1]
    measured("F48", "503 on every call, 30 beats", "calls", calls, must=f"≤ {Limits().attempts}")
    measured("F48", "503 on every call, 30 beats", "waiting of workers in all", sum(tenant.waits), must="≤ 30 s")
    assert (tenant.rows(), tenant.claims()) == (before, known)
    tenant.mend()
    JobRun.objects.filter(pk=run.pk).update(not_before=timezone.now() - timedelta(seconds=1))
    worlds.work_on()
    run.refresh_from_db()
    assert run.state == "succeeded" and run.retries == 3
    measured("F48", "the same refresh after the outage", "records lost", tenant.wrong_seats())


def test_a_vendor_who_comes_and_goes_is_read_to_the_end(tenant: Tenant, measured: Any) -> None:
    tenant.profile.alias.attempts = None
    tenant.profile.alias.save()
    wrong, called, pages = 0, tenant.calls(), 0
    for process in (base.DOWNLOAD, base.ACTIVITY):
        tenant.forget_activity()
        for nth in range(1, 60, 2):
            tenant.sandbox.faults.add("*", nth, DOWN)
        run = tenant.execute(process)
        wrong += (run.state != "succeeded") + tenant.wrong_seats()
        pages += run.pages
        assert run.retries >= run.pages
        tenant.mend()
    wrong += tenant.wrong_events()
    measured("F48", "every other call 503", "records lost or doubled", wrong)
    measured(
        "F48", f"every other call 503, {pages} pages", "calls", tenant.calls() - called, must=f"≤ {2 * (pages + 4)}"
    )

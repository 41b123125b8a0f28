"""An unreadable success: tried again, then later; only the same one each time fails the run (A6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault
from profiles.jobs import queue
from profiles.jobs.job import OUTAGE_PAUSES, Job
from profiles.models import Credential, IntegrationProfile, JobRun
from tests import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ROUTES = (
    "team/get_info",
    "team/members/list_v2",
    "team/members/list/continue_v2",
    "team_log/get_events",
    "team_log/get_events/continue",
    "oauth2/token",
)
HTML = "<html><h1>Your proxy is happy to meet you</h1></html>"


@pytest.fixture
def profile(connected: IntegrationProfile, monkeypatch: pytest.MonkeyPatch) -> IntegrationProfile:
    JobRun.objects.all().delete()
    monkeypatch.setattr(Job, "wait", lambda *args: None)
    connected.alias.page_size = 50
    connected.alias.save()
    return connected


def expire() -> None:
    Credential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def scheduled(profile: IntegrationProfile, process: str = base.DOWNLOAD) -> JobRun:
    worlds.since_yesterday()
    asked = queue.Request(process, JobRun.Trigger.SCHEDULE, profile=profile, logical_date=timezone.localdate())
    run, fresh = queue.request(asked)
    assert fresh and run
    return run


def go_on(run: JobRun) -> JobRun:
    """The pause is over."""
    JobRun.objects.filter(pk=run.pk).update(not_before=None)
    worlds.work()
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("body", [b"", b"{}", HTML, b'{"cut'])
@pytest.mark.parametrize("route", ROUTES)
def test_one_unreadable_answer_on_any_route_costs_no_run(
    profile: IntegrationProfile, dropbox: Any, route: str, body: Any
) -> None:
    expire()
    dropbox.faults.add(route, 1, Fault(status=200 if body else 204, body=body))
    process = base.ACTIVITY if "log" in route else base.DOWNLOAD
    run = go_on(scheduled(profile, process))
    assert run.state == "succeeded" and (run.retries == 1 or "log" in route), run.error_message
    profile.refresh_from_db()
    assert not profile.attention


@pytest.mark.parametrize("route", ["team/members/list_v2", "oauth2/token"])
@pytest.mark.parametrize("body", [HTML, b"{}"])
def test_the_same_unreadable_answer_each_time_means_another_format(
    profile: IntegrationProfile, dropbox: Any, integrator: Any, route: str, body: Any
) -> None:
    expire()
    dropbox.faults.add(route, None, Fault(status=200, body=body))
    run = scheduled(profile)
    for tried in range(1, len(OUTAGE_PAUSES) + 1):
        assert go_on(run).state == "queued" and run.outages == tried and run.not_before
        assert "not readable" in run.warnings[-1]
    assert go_on(run).state == "failed"
    assert run.error_kind == "ProtocolError" and "changed the format" in run.error_message
    assert run.error_status == 200 and run.error_remedy
    assert Credential.objects.get().is_connected
    page = integrator.get(run.get_absolute_url()).content.decode()
    assert "changed the format" in page


def test_an_outage_between_unreadable_answers_is_told_as_an_outage(profile: IntegrationProfile, dropbox: Any) -> None:
    run = scheduled(profile)
    for body, status in [(HTML, 200), (b"", 503), (HTML, 200), (b"{}", 200), (HTML, 200), (HTML, 200)]:
        dropbox.faults.clear()
        dropbox.faults.add("team/members/list_v2", None, Fault(status=status, body=body))
        go_on(run)
    assert (run.state, run.error_kind, run.outages) == ("failed", "TryLater", len(OUTAGE_PAUSES))
    assert "changed the format" not in run.error_message


def test_a_run_that_met_one_and_went_on_later_succeeds(profile: IntegrationProfile, dropbox: Any) -> None:
    dropbox.faults.add("team/members/list_v2", None, Fault(status=200, body=HTML))
    run = go_on(scheduled(profile))
    assert run.state == "queued" and run.unreadable
    dropbox.faults.clear()
    assert go_on(run).state == "succeeded"


def test_whoever_waits_for_a_run_is_told_at_once(profile: IntegrationProfile, dropbox: Any) -> None:
    dropbox.faults.add("team/get_info", None, Fault(status=200, body=HTML))
    run, _ = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=profile))
    assert run
    assert go_on(run).state == "failed" and run.error_kind == "ProtocolError"
    assert "few minutes" in run.error_remedy and run.retries == 3


@pytest.mark.parametrize(
    ("role", "sees"), [("sam_user", False), ("sam_admin", False), ("sam_integrator", True), ("admin", True)]
)
def test_what_the_vendor_answered_is_for_integrators(
    profile: IntegrationProfile, dropbox: Any, signed_in: Any, role: str, sees: bool
) -> None:
    dropbox.faults.add(
        "team/get_info", None, Fault(status=403, body='{"error": {".tag": "x"}, "note": "ann@example.com"}')
    )
    run, _ = queue.request(queue.Request(base.DOWNLOAD, JobRun.Trigger.MANUAL, profile=profile))
    assert run
    go_on(run)
    reader = signed_in(role, username=f"reader-{role}", is_staff=True)
    for path in (
        run.get_absolute_url(),
        f"{run.get_absolute_url()}progress/",
        f"/core/profiles/jobrun/{run.pk}/change/",
    ):
        answer = reader.get(path)
        assert ("ann@example.com" in answer.content.decode()) is (sees and answer.status_code == 200), path
    assert "Dropbox does not allow this" in reader.get(run.get_absolute_url()).content.decode()

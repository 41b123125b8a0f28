"""The demo's story: two months of a past that add up, are the same at every hour, and go on from today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
import time_machine
from django.db.models import F
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Sandbox, serving, story, team
from profiles.models import JobRun
from reclamation.models import RemovalAttempt
from reclamation.savings.balance import balance_on
from samsaas import schedule
from samsaas.demo.clock import DemoClock
from samsaas.demo.story import record
from samsaas.management.commands.demo import sandbox_part
from samsaas.models import Mail
from subscriptions.models import Entitlement, MetricResult, ReconciliationRun, Subscription, UseDay
from subscriptions.renewals import recommend, rows
from tests import pages, worlds
from tests.conftest import VENDOR
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]  # a demo keeps its data in SQLite
DAY = timedelta(days=1)
DOCUMENT = Path(__file__).parents[3] / "docs" / "demo.md"


@contextmanager
def told(folder: Path, at: str = "") -> Iterator[DemoClock]:
    """A demo as it is after its first start, at that moment."""
    with ExitStack() as stack:
        if at:
            stack.enter_context(time_machine.travel(at, tick=True))
        clock = DemoClock(folder / "clock")
        clock.begin()
        stack.callback(clock.end)
        sandbox = Sandbox([*team.demo_teams(), story.StoryTeam()])
        mock = stack.enter_context(responses.RequestsMock(assert_all_requests_are_fired=False))
        serving.plug(sandbox, mock, [VENDOR])
        record.run(sandbox_part(sandbox), clock)
        yield clock


def position() -> dict[str, tuple[Any, ...]]:
    """Status, owned, in use, missing and the currency of each product that stands as of today."""
    rows = MetricResult.objects.filter(model_result__current=True).select_related("model_result")
    return {
        one.model_result.product: (one.status, one.owned, one.in_use, one.needed, one.currency)
        for one in rows.order_by("pk")
    }


@pytest.mark.parametrize("at", ["2026-03-29T00:05:00Z", "2027-01-01T12:00:00Z", "2028-02-29T23:50:00Z"])
def test_it_is_the_same_story_at_every_hour_and_adds_up(tmp_path: Path, at: str) -> None:
    with told(tmp_path, at):
        today = timezone.localdate()
        assert set(Mail.objects.values_list("state", "kept")) == {("sent", True)}, "who was removed was told in time"
        assert position() == {
            "DocSend": ("compliant", 40, 11, 0, "EUR"),
            "Dropbox Business": ("compliant", 70, 57, 0, "EUR"),
            "Dropbox Replay": ("not_entitled", 0, 11, 11, ""),
            "Dropbox Sign": ("not_compliant", 16, 22, 6, "USD"),
        }
        found = balance_on(today)
        assert (found.freed, found.offset, found.saved, found.pending, found.lapsed) == (8, 1, 4, 3, 0)
        assert sum(found.reduced_otherwise.values()) == 2
        days = sorted({*UseDay.objects.values_list("day", flat=True)})
        assert days == [today - timedelta(days=ago) for ago in range(61, 0, -1)]
        assert not JobRun.objects.exclude(state=JobRun.State.SUCCEEDED).exists()
        refreshed = JobRun.objects.filter(process=base.DOWNLOAD).values_list("logical_date", flat=True)
        last = today if timezone.localtime().hour >= 2 else today - DAY
        assert {*refreshed} >= {last - timedelta(days=ago) for ago in range(60)}
        whole = ReconciliationRun.objects.filter(scope_key__endswith="/all")
        assert whole.count() == 9 and whole.filter(scheduled_on=last).count() == 1
        assert "in_progress" not in {*whole.values_list("state", flat=True)}
        late = ReconciliationRun.objects.filter(finished_at__gt=F("started_at") + timedelta(hours=1))
        assert not late.exists(), "what was asked for on a day was answered on it"
        attempts = Counter(RemovalAttempt.objects.values_list("state", flat=True))
        assert attempts == {"closed": 6, "restored": 1, "removed": 1}


def test_it_is_what_a_person_finds_on_home_and_every_figure_opens_its_rows(tmp_path: Path, signed_in: Any) -> None:
    with told(tmp_path):
        manager = signed_in("sam_admin")
        page = manager.get("/").content.decode()
        text = pages.text_of(page)
        equation = "126 owned + 17 missing = 101 in use + 2 reserved for people who do not use them + 40 not used."
        assert equation in text and equation in DOCUMENT.read_text()
        assert "for less than 48 hours more" in text and "a reduction within 30 days" in text
        assert "In use and owned" in text and "Freed and saved" in text
        assert "/checklist/exclusions/" in page and "/checklist/people/" not in page
        for url, number in pages.figures(page).items():
            if url.startswith(("/subscriptions", "/removal")):
                assert pages.rows_behind(manager, url) == number, url


def test_last_month_was_better_and_the_entitlements_say_why(tmp_path: Path) -> None:
    """One has lapsed since, one ends soon, one overlaps with what should have been its renewal."""
    with told(tmp_path):
        then = timezone.localdate() - timedelta(days=30)
        run = reconcile_as_of(then, now=timezone.now())
        found = MetricResult.objects.filter(model_result__product_result__run=run).select_related("model_result")
        status = {one.model_result.product: one.status for one in found}
        assert run.inputs["unknown"] == [] and status["Dropbox Sign"] == "compliant"
        assert status["Dropbox Replay"] == "compliant", "its entitlement had not ended"
        today = timezone.localdate()
        renewals = rows.make_rows(recommend.list_renewals(today), today)
        urgency = {row.entitlement.contract: row.urgency.value for row in renewals}
        assert urgency["AF-2201"] == "soon" and urgency["RP-3"] == "ended"
        docsend = Entitlement.objects.filter(software_model__product="DocSend").order_by("start")
        first, second = docsend
        assert first.end and second.start <= first.end and second.renews is None, "rights are doubled meanwhile"
        assert Entitlement.objects.get(renews__isnull=False).purchased_rights == 18
        assert 0 < Entitlement.objects.get(contract="AF-2201").allocations.open().count() < 8


@pytest.mark.parametrize(("at", "days"), [("2026-05-04T00:30:00Z", 1), ("2026-05-04T15:00:00Z", 7)])
def test_a_day_later_goes_on_with_it_and_its_position_follows(
    tmp_path: Path, signed_in: Any, at: str, days: int
) -> None:
    with told(tmp_path, at):
        before = ReconciliationRun.objects.latest("pk").pk
        refresh_later(signed_in("sam_user"), days)
        download = JobRun.objects.filter(process=base.DOWNLOAD).latest("pk")
        assert download.state == "succeeded", download.error_message
        assert [download.counters[name] for name in ("new", "returned", "ended", "withheld")] == [0, 0, 0, 0]
        last = ReconciliationRun.objects.latest("pk")
        assert last.pk > before and last.is_whole and last.state == "completed"
        newest_use = UseDay.objects.latest("day").day
        assert newest_use == timezone.localdate() - DAY, "days of use go on without a gap"
        assert Subscription.objects.current().count() == 103


def refresh_later(client: Any, days: int) -> None:
    """Press the button, and let worker and beat do their work."""
    client.post(f"/demo/{days}/later/", {"back": "/"})
    worlds.work_on()
    schedule.start_reconciliation()
    worlds.work_on()


def test_it_is_never_mixed_with_anything_that_is_there(connected: Any) -> None:
    assert record.is_recorded()


def test_who_came_later_is_in_the_team_after_a_restart(tmp_path: Path) -> None:
    """The state file keeps no list of members: they are made anew, and whoever waited is among them."""
    waiting = story.StoryTeam()
    everybody = len(waiting.members)
    waiting.hold_back()
    held = everybody - len(waiting.members)
    assert held == 8 and len(story.StoryTeam().members) == everybody
    waiting.let_in()
    assert len(waiting.members) == everybody

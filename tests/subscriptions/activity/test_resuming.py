"""Which interrupted reading of the log is continued, and with what a new one begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile, JobRun
from subscriptions.activity.reading import CURSOR_LIFE, WANTED, LogReading
from subscriptions.models import ActivityDay
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 6, 16, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = NOW - 10 * DAY


class Vendor:
    """All that a reading asks of a connector before the first page."""

    def __init__(self, clock_skew: float | None = None) -> None:
        self.counters = base.Counters(clock_skew=clock_skew)


@pytest.fixture
def profile() -> IntegrationProfile:
    return factories.profile(team_id="dbtid:now", analyze_activity_from=NOW - 30 * DAY)


def a_run(profile: IntegrationProfile, *, facts: dict[str, Any] | None = None, **fields: Any) -> JobRun:
    """A run at work, or with `state` one that is over; with `cursor` in the middle of a reading since `SINCE`."""
    defaults = {"state": JobRun.State.RUNNING, "owner": "me", "cursor_at": NOW - HOUR}
    found = {"team": "dbtid:now", "since": SINCE.isoformat(), "totals": {"read": 7}, **(facts or {})}
    return factories.run(profile=profile, process=base.ACTIVITY, facts=found, **{**defaults, **fields})


def reading_of(run: JobRun, clock_skew: float | None = None) -> LogReading:
    assert run.profile
    return LogReading(Job(run), run.profile, Vendor(clock_skew))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "resumed"),
    [
        ({}, True),
        ({"cursor": ""}, False),
        ({"cursor_at": NOW - CURSOR_LIFE + HOUR}, True),
        ({"cursor_at": NOW - CURSOR_LIFE - HOUR}, False),
        ({"cursor_at": None}, False),
        ({"facts": {"team": "dbtid:before"}}, False),
        ({"facts": {"team": ""}}, False),
    ],
)
def test_a_run_goes_on_at_its_own_fresh_cursor_of_the_same_team(
    profile: IntegrationProfile, changes: dict[str, Any], resumed: bool
) -> None:
    run = a_run(profile, **{"cursor": "place", **changes})
    assert reading_of(run).try_to_resume(NOW) is resumed
    assert not resumed or JobRun.objects.get(pk=run.pk).cursor == "place"


def test_facts_of_an_older_version_are_not_continued(profile: IntegrationProfile) -> None:
    run = a_run(profile, cursor="place")
    del run.facts["totals"]
    assert not reading_of(run).try_to_resume(NOW)


@pytest.mark.parametrize(
    ("changes", "resumed"),
    [
        ({"state": "failed"}, True),
        ({"state": "canceled"}, True),
        ({"state": "succeeded"}, False),
        ({"state": "failed", "facts": {"team": "dbtid:before"}}, False),
        ({"state": "failed", "cursor_at": NOW - CURSOR_LIFE - HOUR}, False),
        ({"state": "failed", "process": base.DOWNLOAD}, False),
    ],
)
def test_the_pull_before_is_continued_if_it_broke_off(
    profile: IntegrationProfile, changes: dict[str, Any], resumed: bool
) -> None:
    before = {"cursor": "place", **changes}
    process = before.pop("process", base.ACTIVITY)
    JobRun.objects.filter(pk=a_run(profile, **before).pk).update(process=process)
    run = a_run(profile, cursor="", facts={"team": None})
    reading = reading_of(run)
    assert reading.try_to_resume(NOW) is resumed
    if resumed:
        assert (run.cursor, reading.totals["read"], reading.since) == ("place", 7, SINCE)


def test_only_the_last_pull_of_the_same_profile_is_continued(profile: IntegrationProfile) -> None:
    a_run(profile, cursor="place", state="failed")
    a_run(profile, cursor="", state="succeeded")
    a_run(factories.profile(team_id="dbtid:now"), cursor="elsewhere", state="failed")
    assert not reading_of(a_run(profile, cursor="")).try_to_resume(NOW)


@pytest.mark.parametrize("wanted", [SINCE, SINCE + DAY, SINCE - HOUR])
def test_whoever_wants_to_read_from_a_day_does_not_get_the_rest_of_another_reading(
    profile: IntegrationProfile, wanted: datetime
) -> None:
    """The way out of whatever goes wrong at the place of the other one. Its own place is continued."""
    a_run(profile, cursor="place", state="failed")
    run = a_run(profile, cursor="", facts={WANTED: wanted.isoformat(), "team": None})
    assert not reading_of(run).try_to_resume(NOW)
    reading_of(run).start_reading(NOW)
    JobRun.objects.filter(pk=run.pk).update(cursor="own place", cursor_at=NOW)
    run.refresh_from_db()
    assert reading_of(run).try_to_resume(NOW) and run.cursor == "own place"


@pytest.mark.parametrize("hours", [6, 12, 24])
def test_a_place_that_the_vendor_cannot_continue_is_given_up_after_two_days(
    profile: IntegrationProfile, hours: int
) -> None:
    """Each pull tries it once and fails. That it was tried does not make it younger."""
    a_run(profile, cursor="poisoned", cursor_at=NOW, state="failed")
    asked, times = [], 96 // hours
    for number in range(1, times + 1):
        run = a_run(profile, cursor="", cursor_at=None, facts={"team": None})
        reading = reading_of(run)
        reading.try_to_resume(NOW + number * hours * HOUR) or reading.start_reading(NOW + number * hours * HOUR)
        asked.append(JobRun.objects.get(pk=run.pk).cursor)
        JobRun.objects.filter(pk=run.pk).update(state="failed", owner="")
    given_up = 48 // hours - 1
    assert asked == ["poisoned"] * given_up + [""] * (times - given_up)


def test_a_place_that_was_continued_is_as_young_as_the_page_after_it(profile: IntegrationProfile) -> None:
    run = a_run(profile, cursor="place", cursor_at=NOW - CURSOR_LIFE + HOUR)
    reading = reading_of(run)
    assert reading.try_to_resume(NOW)
    reading.job.progress(cursor="the next")
    assert abs(JobRun.objects.get(pk=run.pk).cursor_at - timezone.now()) < HOUR


@pytest.mark.parametrize(("clock_skew", "until"), [(None, 0), (0.0, 0), (90.0, 0), (-90.0, -90), (-4000.0, -4000)])
def test_a_reading_ends_at_a_moment_that_the_vendors_clock_has_surely_reached(
    profile: IntegrationProfile, clock_skew: float | None, until: float
) -> None:
    reading = reading_of(a_run(profile), clock_skew)
    reading.start_reading(NOW)
    assert reading.began == NOW + timedelta(seconds=until)
    assert abs(reading.started - timezone.now()) < HOUR, "by the database's clock"
    assert reading.team_id == "dbtid:now" and reading.totals == {} and reading.last_use is None


@pytest.mark.parametrize("again", [True, False])
def test_a_run_that_begins_anew_forgets_its_own_counts_and_no_others(profile: IntegrationProfile, again: bool) -> None:
    seat = factories.subscription(profile=profile)
    run = a_run(profile)
    run.facts["reading"] = run.pk if again else run.pk - 1
    ActivityDay.objects.create(subscription=seat, day=NOW.date(), events=3, pull=run.pk)
    ActivityDay.objects.create(subscription=seat, day=SINCE.date(), events=4, pull=run.pk - 1)
    reading_of(run).start_reading(NOW)
    assert list(ActivityDay.objects.order_by("-day").values_list("events", flat=True)) == [0 if again else 3, 4]

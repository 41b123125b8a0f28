"""How often a seat was used on a day: added up within a reading, never between readings, and never less than before."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile
from subscriptions.activity import drop_old_days, store as activity
from subscriptions.models import ActivityDay, LastActivity, Subscription
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = date(2027, 6, 16)


@pytest.fixture
def profile() -> IntegrationProfile:
    seat = factories.subscription(external_id="dbmid:one")
    return seat.profile


def read(profile: IntegrationProfile, reading: int, *events: int) -> None:
    """A batch of a reading with so many events today, and on each day before."""
    uses = base.Uses()
    for ago, number in enumerate(events):
        day = TODAY - timedelta(days=ago)
        at = datetime.combine(day, time(9), tzinfo=UTC)
        uses.held[day.toordinal()] = {"dbmid:one": base.DayUse(number, at, "file_add")} if number else {}
    with transaction.atomic():
        activity.store_batch(profile, uses, run_id=1, reading=reading, signal="event")


def shown() -> list[int]:
    """The events of each day, the latest first."""
    days = ActivityDay.objects.order_by("-day").values_list("events", "earlier")
    return [max(both) for both in days]


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([(1, 3)], [3]),
        ([(1, 3), (1, 2)], [5]),
        ([(1, 3), (2, 3)], [3]),
        ([(1, 3), (2, 4)], [4]),
        ([(1, 3), (2, 1)], [3]),
        ([(1, 3), (2, 1), (2, 1), (2, 1), (2, 1)], [4]),
        ([(1, 5), (2, 1), (3, 2)], [5]),
        ([(1, 1), (2, 5), (3, 2), (3, 1)], [5]),
        ([(1, 1, 7), (2, 2), (3, 0, 8)], [2, 8]),
    ],
)
def test_a_day_keeps_the_most_that_one_reading_counted(
    profile: IntegrationProfile, batches: list[tuple[int, ...]], expected: list[int]
) -> None:
    for reading, *events in batches:
        read(profile, reading, *events)
    assert shown() == expected


def test_a_reading_that_begins_anew_replaces_its_own_counts_only(profile: IntegrationProfile) -> None:
    other = factories.subscription(external_id="dbmid:one").profile
    read(profile, 1, 2, 9)
    read(profile, 2, 6)
    read(other, 2, 5)
    activity.forget_reading(profile, 2)
    assert sorted(shown()) == [2, 5, 9]
    read(profile, 2, 3)
    assert sorted(shown()) == [3, 5, 9]


def test_a_session_says_when_and_not_how_often(profile: IntegrationProfile) -> None:
    read(profile, 0, 4)
    assert shown() == [0] and LastActivity.objects.count() == 1


def test_the_day_of_a_session_lowers_no_count_and_adds_to_none(profile: IntegrationProfile) -> None:
    read(profile, 1, 3)
    read(profile, 0, 1, 1)
    assert shown() == [3, 0]
    read(profile, 2, 2, 5)
    assert shown() == [3, 5]


def test_days_are_kept_for_400_days(profile: IntegrationProfile) -> None:
    now = timezone.now()
    seats = [Subscription.objects.get(profile=profile), factories.subscription(external_id="dbmid:two")]
    for seat in seats:
        for ago in (0, 399, 400, 401, 900):
            day = now.astimezone(UTC).date() - timedelta(days=ago)
            ActivityDay.objects.create(subscription=seat, day=day, events=1, pull=1)
    run = factories.run(profile=profile, state="running", owner="me")
    assert drop_old_days.run(Job(run), profile, now) == 2
    kept = [ActivityDay.objects.filter(subscription=seat).count() for seat in seats]
    assert kept == [3, 5], "those of another profile are its own pull's affair"


def test_of_equal_moments_the_kind_that_sorts_last_is_shown(profile: IntegrationProfile) -> None:
    """Known by id, by account and by address, in the same second: one seat, three rows of one batch."""
    now = timezone.now().replace(microsecond=0)
    profile.subscriptions.update(account_id="dbid:one", email="one@a.example")
    keys: dict[Any, str] = {"dbmid:one": "b", ("dbid:one", ""): "c", ("", "one@a.example"): "a"}
    uses = base.Uses()
    uses.held[now.toordinal()] = {key: base.DayUse(1, now, kind) for key, kind in keys.items()}
    with transaction.atomic():
        activity.store_batch(profile, uses, run_id=1, reading=1, signal="event")
    assert LastActivity.objects.get().kind == "c" and shown() == [3]

"""The moment of a test run is taken from one place by all: Python, threads that wait, the sandbox and the database."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator

import pytest
import time_machine
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Sandbox
from samsaas.models import Heartbeat
from tests import clock

pytestmark = pytest.mark.one_database

LEAP_DAY = clock.moment("2028-02-29T23:59")
SOON = dt.timedelta(seconds=20)


@pytest.fixture
def journey() -> Iterator[clock.Journey]:
    made = clock.Journey(LEAP_DAY)
    made.begin()
    yield made
    made.end()


def by_the_database() -> dt.datetime:
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": Now()})
    return Heartbeat.objects.filter(at__lte=Now() + SOON, at__gte=Now() - SOON).get().at


@pytest.mark.django_db
def test_everybody_is_at_the_moment_and_the_database_does_not_follow_a_worker_whose_clock_is_wrong(
    journey: clock.Journey,
) -> None:
    for now in (timezone.now(), dt.datetime.now(dt.UTC), Sandbox().now(), by_the_database()):
        assert LEAP_DAY <= now < LEAP_DAY + SOON
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1), tick=True):
        assert LEAP_DAY <= by_the_database() < LEAP_DAY + SOON < timezone.now()


def test_time_goes_on_from_the_moment_and_every_test_begins_at_it(journey: clock.Journey) -> None:
    began, real = timezone.now(), time.monotonic()
    assert not threading.Event().wait(0.05), "a timed wait ends by itself"
    assert 0.05 <= time.monotonic() - real < 5 and timezone.now() - began >= dt.timedelta(seconds=0.04)
    journey.again()
    assert LEAP_DAY <= timezone.now() < began + dt.timedelta(seconds=0.05)


@pytest.mark.parametrize("told", ["2028-02-29T23:59", "2028-02-29T23:59Z", "2028-03-01T00:59+01:00"])
def test_a_moment_is_in_utc_unless_it_says_otherwise(told: str) -> None:
    assert clock.moment(told) == LEAP_DAY

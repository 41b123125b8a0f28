"""Time before what is known, added to it: nothing that was known is lost, and nothing is claimed that nobody read."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from profiles.models import IntegrationProfile
from subscriptions.activity.coverage import intervals, reach
from subscriptions.models import Subscription
from tests import factories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
START = datetime(2027, 1, 1, tzinfo=UTC)
TEAM = "dbtid:now"
Span = tuple[float, float]


def at(day: float) -> datetime:
    return START + day * DAY


@pytest.fixture
def profile() -> IntegrationProfile:
    return factories.profile(team_id=TEAM, team_since=at(-400), analyze_activity_from=at(300))


def add(profile: IntegrationProfile, since: float, until: float, started: float) -> None:
    intervals.add_reading(profile, a_reading(since, until, started))


def a_reading(since: float, until: float, started: float) -> intervals.Reading:
    return intervals.Reading(team_id=TEAM, since=at(since), until=at(until), started=at(started), run_id=None)


def add_earlier(profile: IntegrationProfile, since: float, until: float, started: float) -> bool:
    return intervals.add_earlier(profile, a_reading(since, until, started))


def a_seat(profile: IntegrationProfile, known: float) -> Subscription:
    return factories.subscription(profile=profile, first_seen_at=at(known), assigned_at=None)


def known_of(profile: IntegrationProfile) -> list[Span]:
    found = ((one.since - START) / DAY for one in profile.coverage.order_by("since"))
    ends = ((one.until - START) / DAY for one in profile.coverage.order_by("since"))
    return list(zip(found, ends, strict=True))


def claimed(seat: Subscription) -> set[int]:
    """The days of which it is said that the log was read for the seat."""
    fresh = Subscription.objects.select_related("profile").get(pk=seat.pk)
    days: set[int] = set()
    for since, _, until in reach.of_seat(fresh.profile, fresh):
        days.update(range(int((since - START) / DAY), int((until - START) / DAY)))
    return days


def test_earlier_time_becomes_one_piece_with_what_is_known(profile: IntegrationProfile) -> None:
    add(profile, 300, 360, started=360)
    assert add_earlier(profile, 100, 300, started=361)
    assert known_of(profile) == [(100, 360)]
    add(profile, 357, 362, started=362)
    assert known_of(profile) == [(100, 362)]


def test_who_was_known_to_both_readings_is_known_throughout_and_a_later_one_is_not(profile: IntegrationProfile) -> None:
    add(profile, 300, 360, started=360)
    old, between, new = (a_seat(profile, known) for known in (10, 360.5, 362))
    add(profile, 300, 361, started=361)  # read again for the one in between
    assert add_earlier(profile, 100, 300, started=361.5)
    assert claimed(old) == set(range(100, 361)) == claimed(between)
    assert claimed(new) == set()


def test_what_was_read_for_a_seat_meanwhile_is_not_lost(profile: IntegrationProfile) -> None:
    """A pull that ended while the earlier reading was at work knew more seats than that one."""
    add(profile, 300, 360, started=360)
    late = a_seat(profile, 361)
    add(profile, 300, 362, started=362)
    assert claimed(late) == set(range(300, 362))
    assert add_earlier(profile, 100, 300, started=360.5)
    assert claimed(late) == set(range(300, 362))


@pytest.mark.parametrize("kept", [False, True], ids=["taken back", "begins later now"])
def test_time_that_leads_to_nothing_known_is_not_added(profile: IntegrationProfile, kept: bool) -> None:
    add(profile, 300, 360, started=360)
    intervals.withdraw_after(profile, TEAM, at(300))
    if kept:
        add(profile, 340, 361, started=361)
    before = known_of(profile)
    assert not add_earlier(profile, 100, 300, started=360.5)
    assert known_of(profile) == before


def test_an_older_island_of_known_time_is_taken_in(profile: IntegrationProfile) -> None:
    add(profile, 100, 150, started=150)
    add(profile, 300, 360, started=360)
    assert add_earlier(profile, 100, 300, started=361)
    assert known_of(profile) == [(100, 360)]


@pytest.mark.parametrize("seed", range(40))
def test_in_random_histories_nothing_is_lost_and_nothing_is_claimed_that_was_not_read(
    profile: IntegrationProfile, seed: int
) -> None:
    rng = random.Random(seed)
    now, seats, readings = 250.0, [a_seat(profile, 0)], list[tuple[Span, float]]()
    for _ in range(rng.randint(4, 12)):
        now += rng.randint(1, 20)
        latest = max(known_of(profile), key=lambda span: span[1], default=None)
        if rng.random() < 0.4:
            seats.append(a_seat(profile, now))
            continue
        if latest and rng.random() < 0.5:
            since, until = latest[0] - rng.randint(1, 60), latest[0]
            started = now - rng.choice((0, 0, 5, 15))
            before = [claimed(seat) for seat in seats]
            assert add_earlier(profile, since, until, started)
            assert all(known <= claimed(seat) for known, seat in zip(before, seats, strict=True))
        else:
            since, until, started = now - rng.randint(3, 80), now, now
            add(profile, since, until, started)
        readings.append(((since, until), started))
        for seat in seats:
            known = (seat.known_since - START) / DAY
            read = {day for (a, b), began in readings if began >= known for day in range(int(a), int(b))}
            assert claimed(seat) <= read

"""Which time is covered, for whom, and where the next pull begins: the rules one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from profiles.models import IntegrationProfile
from subscriptions.activity import last_used
from subscriptions.activity.coverage import intervals, reach
from subscriptions.models import ReadDay, Subscription
from tests import factories

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
START = datetime(2027, 3, 1, tzinfo=UTC)
TEAM, OTHER = "dbtid:now", "dbtid:before"


def at(day: float) -> datetime:
    return START + day * DAY


@pytest.fixture
def profile() -> IntegrationProfile:
    return factories.profile(team_id=TEAM, team_since=at(-30), analyze_activity_from=at(0))


def read(
    profile: IntegrationProfile, since: float, until: float, *, started: float | None = None, team: str = TEAM
) -> None:
    """The log was read and believed; the reading began at its end, by the database's clock."""
    began = at(until if started is None else started)
    reading = intervals.Reading(team_id=team, since=at(since), until=at(until), started=began, run_id=None)
    intervals.add_reading(profile, reading)


def add_seat(profile: IntegrationProfile, known: float, **fields: Any) -> Subscription:
    return factories.subscription(profile=profile, first_seen_at=at(known), **fields)


def next_day(profile: IntegrationProfile, now: float) -> float:
    profile = IntegrationProfile.objects.get(pk=profile.pk)
    return (intervals.next_since(profile, at(now)) - START) / DAY


def covered(profile: IntegrationProfile, team: str = TEAM) -> list[tuple[float, float, float]]:
    found = profile.coverage.filter(team_id=team).order_by("since")
    return [tuple((moment - START) / DAY for moment in (one.since, one.until, one.known_by)) for one in found]


def vouched_from(seat: Subscription, now: float) -> float | None:
    known = reach.read_knowledge(at(now))
    found = Subscription.objects.annotate(v=known.vouched_from()).values_list("v", flat=True).get(pk=seat.pk)
    return found and (found - START) / DAY


# Where the next pull begins


def test_without_anything_read_it_begins_with_the_analysis(profile: IntegrationProfile) -> None:
    assert next_day(profile, 40) == 0


@pytest.mark.parametrize(("until", "begins"), [(20.0, 17), (20.6, 17), (20.999, 17), (3.5, 0), (1.0, 0)])
def test_it_begins_at_the_midnight_72_hours_before_and_never_before_the_analysis(
    profile: IntegrationProfile, until: float, begins: float
) -> None:
    read(profile, 0, until)
    assert next_day(profile, until + 0.4) == begins


def test_a_start_of_the_analysis_that_moved_back_is_read_from(profile: IntegrationProfile) -> None:
    read(profile, 5, 20)
    assert next_day(profile, 20.5) == 0


@pytest.mark.parametrize(("now", "begins"), [(60, 7), (120, 47)])
def test_a_gap_is_tried_again_until_it_is_90_days_old(profile: IntegrationProfile, now: float, begins: float) -> None:
    read(profile, 0, 10)
    read(profile, 20, 50)
    assert next_day(profile, now) == begins


@pytest.mark.parametrize(("events", "begins"), [(4, 12), (0, 8)])
def test_it_begins_at_the_last_day_with_use(profile: IntegrationProfile, events: int, begins: float) -> None:
    read(profile, 0, 20)
    for day, number in ((8, 5), (12, events)):
        ReadDay.objects.create(profile=profile, team_id=TEAM, day=at(day).date(), events=number)
    ReadDay.objects.create(profile=profile, team_id=OTHER, day=at(3).date(), events=9)
    assert next_day(profile, 20.5) == begins


@pytest.mark.parametrize(
    ("fields", "begins"),
    [
        ({"assigned_at": at(6)}, 6),
        ({"assigned_at": None}, 17),
        ({"assigned_at": at(-90)}, 0),
        ({"assigned_at": at(6), "status": "suspended"}, 17),
        ({"assigned_at": at(6), "ended_at": at(20.2)}, 17),
        ({"assigned_at": at(6), "read_from": at(6)}, 17),
        ({"assigned_at": at(6), "read_from": at(9)}, 6),
        ({"assigned_at": at(-90), "read_from": at(0)}, 17),
        ({"assigned_at": at(6), "known_since": at(-40)}, 17),
    ],
    ids=[
        "assigned",
        "unknown when",
        "long ago",
        "suspended",
        "ended",
        "read",
        "not all read",
        "all read",
        "other team",
    ],
)
def test_it_begins_where_an_active_seat_that_became_known_later_was_assigned(
    profile: IntegrationProfile, fields: dict[str, Any], begins: float
) -> None:
    read(profile, 0, 20)
    assert next_day(profile, 20.5) == 17
    add_seat(profile, 20.1, **fields)
    assert next_day(profile, 20.5) == begins


# Whom an interval vouches for


def test_a_seat_known_before_the_log_was_read_is_vouched_for_wholly(profile: IntegrationProfile) -> None:
    seat = add_seat(profile, 9)
    read(profile, 0, 10)
    assert covered(profile) == [(0, 10, 10)] and vouched_from(seat, 10.5) == 0


def test_a_seat_that_became_known_later_is_vouched_for_from_where_the_log_was_read_for_it(
    profile: IntegrationProfile,
) -> None:
    read(profile, 0, 10)
    seat = add_seat(profile, 10.5)
    assert vouched_from(seat, 10.6) is None
    read(profile, 7, 11)
    assert covered(profile) == [(0, 11, 10)] and vouched_from(seat, 11.1) == 7
    read(profile, 8, 12)
    assert vouched_from(seat, 12.1) == 7, "what was read for it once stays so"
    read(profile, 3, 13)
    assert vouched_from(seat, 13.1) == 3
    read(profile, 0, 14)
    assert covered(profile) == [(0, 14, 14)] and vouched_from(seat, 14.1) == 0


def test_a_seat_that_appears_while_the_log_is_read_is_not_vouched_for(profile: IntegrationProfile) -> None:
    read(profile, 0, 10)
    seat = add_seat(profile, 11.5)
    read(profile, 7, 12, started=11)
    assert vouched_from(seat, 12.1) is None
    read(profile, 9, 13, started=13)
    assert vouched_from(seat, 13.1) == 9


def test_readings_that_touch_become_one_and_vouch_for_whom_all_of_them_knew(profile: IntegrationProfile) -> None:
    read(profile, 10, 20)
    read(profile, 0, 5)
    assert covered(profile) == [(0, 5, 5), (10, 20, 20)]
    read(profile, 5, 10, started=25)
    assert covered(profile) == [(0, 20, 5)]
    read(profile, 40, 50)
    read(profile, 60, 60)
    assert covered(profile) == [(0, 20, 5), (40, 50, 50)]
    read(profile, 0, 55)
    assert covered(profile) == [(0, 55, 55)]


def test_each_team_has_its_own_intervals(profile: IntegrationProfile) -> None:
    seat = add_seat(profile, 1)
    read(profile, 0, 20, team=OTHER)
    assert vouched_from(seat, 20.1) is None and next_day(profile, 20.5) == 0
    read(profile, 10, 21)
    assert covered(profile) == [(10, 21, 21)] and covered(profile, OTHER) == [(0, 20, 20)]
    assert [one.team_id for one in intervals.of_team(IntegrationProfile.objects.get(pk=profile.pk))] == [TEAM]


def test_a_seat_of_another_team_is_not_vouched_for(profile: IntegrationProfile) -> None:
    seat = add_seat(profile, -40)
    read(profile, 0, 20)
    assert vouched_from(seat, 20.1) is None and reach.of_seat(profile, seat) == []


def test_what_is_withdrawn_is_of_one_team_and_after_the_moment(profile: IntegrationProfile) -> None:
    for since, until in ((0, 5), (8, 20), (30, 40)):
        read(profile, since, until)
        read(profile, since, until, team=OTHER)
    intervals.withdraw_after(profile, TEAM, at(10))
    assert [one[:2] for one in covered(profile)] == [(0, 5), (8, 10)]
    assert [one[:2] for one in covered(profile, OTHER)] == [(0, 5), (8, 20), (30, 40)]


# What follows for a seat


@pytest.mark.parametrize(("now", "known"), [(20.5, 0), (21.9, 0), (22.1, None)])
def test_a_coverage_that_ended_two_days_ago_vouches_for_nothing(
    profile: IntegrationProfile, now: float, known: float | None
) -> None:
    seat = add_seat(profile, 1)
    read(profile, 0, 20)
    assert vouched_from(seat, now) == known


def test_of_two_intervals_the_one_that_reaches_until_now_vouches(profile: IntegrationProfile) -> None:
    seat = add_seat(profile, 1)
    read(profile, 0, 19)
    read(profile, 19.5, 20)
    assert vouched_from(seat, 20.1) == 19.5


def test_nothing_is_vouched_for_before_the_coverage_begins(profile: IntegrationProfile) -> None:
    read(profile, 9, 10)
    seat = add_seat(profile, 10.5, read_from=at(2))
    assert vouched_from(seat, 10.6) == 9


@pytest.mark.parametrize(
    ("fields", "used", "since", "exact"),
    [
        ({"known": 1}, 15, 15, True),
        ({"known": 1}, 5, 10, False),
        ({"known": 1, "assigned_at": at(12)}, None, 12, True),
        ({"known": 1, "assigned_at": at(4)}, None, 10, False),
        ({"known": 1}, None, 10, False),
        ({"known": 20.5, "read_from": at(14)}, 15, 15, True),
        ({"known": 20.5, "read_from": at(14)}, 12, 14, False),
        ({"known": 20.5, "read_from": at(4)}, 8, 10, False),
        ({"known": 1, "assigned_at": at(17)}, 12, 17, True),
        ({"known": 1, "assigned_at": at(17)}, 5, 17, True),
        ({"known": 1, "assigned_at": at(12)}, 17, 17, True),
        ({"known": 1, "assigned_at": at(4)}, 5, 10, False),
        ({"known": 20.5, "read_from": at(14), "assigned_at": at(16)}, 15, 16, True),
        ({"known": 20.5, "read_from": at(14), "assigned_at": at(12)}, 13, 14, False),
    ],
)
def test_a_seat_is_unused_since_its_last_use_or_since_its_use_is_known(
    profile: IntegrationProfile, fields: dict[str, Any], used: float | None, since: float, exact: bool
) -> None:
    read(profile, 10, 20)
    seat = add_seat(profile, **fields)
    if used is not None:
        factories.activity(seat, at(used))
    known = reach.read_knowledge(at(20.6))
    found = Subscription.objects.annotate(since=known.unused_since()).get(pk=seat.pk)
    assert (found.since - START) / DAY == since
    assert Subscription.objects.filter(known.exact(), pk=seat.pk).exists() is exact
    assert Subscription.objects.filter(known.vouched(), pk=seat.pk).exists()
    (shown,) = last_used.with_idle_facts(Subscription.objects.select_related("last_activity"), at(20.6))
    idle = last_used.idle(shown, at(20.6))
    assert idle and ((idle.since - START) / DAY, idle.is_exact) == (since, exact)
    assert idle.never_used == (used is None or bool(seat.assigned_at and seat.assigned_at > at(used)))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"known": 1}, [(0, 5), (10, 20)]),
        ({"known": 7}, [(10, 20)]),
        ({"known": 20.5}, []),
        ({"known": 20.5, "read_from": at(14)}, [(14, 20)]),
        ({"known": 20.5, "read_from": at(4)}, [(4, 5), (10, 20)]),
    ],
)
def test_the_time_that_was_read_for_a_seat(
    profile: IntegrationProfile, fields: dict[str, Any], expected: list[tuple[float, float]]
) -> None:
    read(profile, 0, 5)
    read(profile, 10, 20)
    seat = add_seat(profile, **fields)
    found = reach.of_seat(profile, seat)
    assert [((since - START) / DAY, (until - START) / DAY) for since, _, until in found] == expected

"""Calls a minute: how a connector keeps to the bound an alias sets. The clock is a list, nobody sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from profiles import connectors
from profiles.connectors import base, http
from profiles.connectors.base import Limits
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from tests.connectors.doubles import World, endpoints, plugged


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[tuple[float, str]] = []

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float, reason: str) -> None:
        self.waits.append((round(seconds, 6), reason))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox()) as made:
        yield made


def paced(world: World, clock: Clock, **limits: Any) -> base.Connector:
    return connectors.open("dropbox", endpoints(world.url), "key", world.tokens, Limits(**limits), clock.wait)


def test_calls_are_spread_evenly_over_the_minute_and_not_counted_as_throttled(world: World, clock: Clock) -> None:
    connector = paced(world, clock, requests_per_minute=30)
    for _ in range(4):
        connector.team()
    assert clock.waits == [(2.0, http.PACE)] * 3
    assert connector.counters.throttled_seconds == 0 and connector.counters.retries == 0


def test_time_that_passed_anyway_is_not_waited_again(world: World, clock: Clock) -> None:
    connector = paced(world, clock, requests_per_minute=30)
    connector.team()
    clock.now += 1.5
    connector.team()
    clock.now += 60
    connector.team()
    assert clock.waits == [(0.5, http.PACE)]


def test_a_repeat_keeps_the_pace_too(world: World, clock: Clock) -> None:
    world.sandbox.faults.add("team/get_info", 1, Fault(status=503))
    connector = paced(world, clock, requests_per_minute=1, backoff=1.0)
    connector.team()
    assert clock.now == 1060.0 and world.calls("team/get_info") == 2


def test_without_a_bound_nobody_waits(world: World, clock: Clock) -> None:
    connector = paced(world, clock)
    for _ in range(5):
        connector.team()
    assert clock.waits == []


REMOVE = "team/members/remove"
SLOW_DOWN = {"JSON": '{"error":{"reason":{".tag":"too_many_requests"}}}', "text": "Too many requests"}


@pytest.mark.parametrize("body", SLOW_DOWN)
def test_a_vendor_that_was_told_to_wait_by_one_call_is_not_asked_by_the_next(
    world: World, clock: Clock, body: str
) -> None:
    """Dropbox counts per team and app, refused calls too, and an effect does not wait by itself."""
    world.sandbox.faults.add(REMOVE, 1, Fault(status=429, headers={"Retry-After": "20"}, body=SLOW_DOWN[body]))
    connector: Any = paced(world, clock)
    with pytest.raises(base.Throttled) as told:
        connector.withdraw("dbmid:nobody")
    assert told.value.retry_after == 20
    clock.now += 5
    connector.team()
    assert [seconds for seconds, _ in clock.waits] == [15.0] and connector.counters.throttled_seconds == 15
    connector.team()
    assert len(clock.waits) == 1, "the time is over"


def test_neither_an_effect_nor_a_long_wait_is_begun_before_the_time(world: World, clock: Clock) -> None:
    world.sandbox.faults.add(REMOVE, 1, Fault(status=429, headers={"Retry-After": "300"}))
    connector: Any = paced(world, clock)
    for left in (300, 200):
        with pytest.raises(base.Throttled) as told:
            connector.withdraw("dbmid:nobody")
        assert told.value.retry_after == left
        clock.now += 100
    with pytest.raises(base.Throttled) as told:
        connector.team()
    assert told.value.retry_after == 100 and clock.waits == []
    assert (world.calls(REMOVE), world.calls("team/get_info")) == (1, 0)
    clock.now += 100
    connector.team()
    assert world.calls("team/get_info") == 1


def test_questions_that_belong_together_are_not_spread_and_the_pace_is_kept_over_time(
    world: World, clock: Clock
) -> None:
    """At 12 calls a minute a removal would otherwise never come: its last question is asked when its first is old."""
    connector: Any = paced(world, clock, requests_per_minute=12)
    connector.team()
    began = clock.now
    for _ in range(3):
        connector.make_room(3)
        asked_at = clock.now
        for _ in range(3):
            connector.team()
        with pytest.raises(base.Refused):
            connector.withdraw("dbmid:nobody")
        assert clock.now == asked_at, "nothing waited in between"
    connector.team()
    assert clock.now - began == pytest.approx(13 * 5.0)


def test_room_is_made_after_the_time_that_the_vendor_asked_to_wait(world: World, clock: Clock) -> None:
    world.sandbox.faults.add(REMOVE, 1, Fault(status=429, headers={"Retry-After": "20"}))
    world.sandbox.faults.add(REMOVE, 2, Fault(status=429, headers={"Retry-After": "200"}))
    connector: Any = paced(world, clock)
    for _ in range(2):
        with pytest.raises(base.Throttled):
            connector.withdraw("dbmid:nobody")
        if not clock.waits:
            connector.make_room(3)
    assert [seconds for seconds, _ in clock.waits] == [20.0]
    with pytest.raises(base.Throttled):
        connector.make_room(3)

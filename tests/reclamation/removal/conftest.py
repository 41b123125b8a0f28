"""The place where removals are tested: time that can be moved, a stand-in vendor, and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import clock
from tests.reclamation.removal import place as places

MORNING = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)


class Time:
    """The time of a test. It goes on as time does, and can be moved."""

    def __init__(self) -> None:
        self.journey = clock.Journey(MORNING)

    def pass_by(self, **time: float) -> None:
        self.journey.destination = timezone.now() + timedelta(**time)
        self.journey.again()


@pytest.fixture
def time() -> Iterator[Time]:
    found = Time()
    found.journey.begin()
    yield found
    found.journey.end()


@pytest.fixture
def make_place(db: None, time: Time, monkeypatch: pytest.MonkeyPatch) -> Callable[..., places.Place]:
    teams: dict[int, Any] = {}
    places.plug(monkeypatch, teams)

    def make(*given: Any, **rule: Any) -> places.Place:
        made = places.Place(*given, **rule)
        teams[made.profile.pk] = made.team
        return made

    return make


@pytest.fixture
def place(make_place: Callable[..., places.Place]) -> places.Place:
    return make_place()


@pytest.fixture
def ann(db: None) -> Any:
    return places.sam_admin("ann")


@pytest.fixture
def bob(db: None) -> Any:
    return places.sam_admin("bob")

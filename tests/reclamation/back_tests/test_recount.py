"""Random pasts, replayed by the database and recounted here, seat by seat and day by day, in plain Python."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from profiles.models import IntegrationProfile
from reclamation.models import BackTest, Exemption
from reclamation.states import State
from tests import factories
from tests.reclamation.back_tests.past import BEGIN, DAY, Past, at, found, on

pytestmark = pytest.mark.django_db
DEPARTMENTS = ("Sales", "Law", "")


@dataclass
class Facts:
    """What is true of one seat, as plain values."""

    profile: IntegrationProfile
    used: set[date]
    columns: dict[str, Any]
    person: dict[str, Any] | None = None
    exempt: dict[str, Any] | None = None
    decided_at: datetime | None = None
    pk: int = 0


@dataclass
class World:
    rng: random.Random
    past: Past
    intervals: dict[int, list[tuple[datetime, datetime, datetime]]] = field(default_factory=dict)
    seats: list[Facts] = field(default_factory=list)

    def moment(self, low: float, high: float) -> datetime:
        """A moment of some day; often exactly a midnight."""
        number = self.rng.uniform(low, high)
        return at(int(number) if self.rng.random() < 0.5 else number)

    def maybe(self, share: float, low: float, high: float) -> datetime | None:
        return self.moment(low, high) if self.rng.random() < share else None

    def add_profile(self, profile: IntegrationProfile) -> None:
        start, spans = self.rng.uniform(0, 30), []
        while start < 200 and len(spans) < 2:
            end = start + self.rng.choice((60, 90, 200))
            known_by = at(self.rng.choice((-1, 40, 400)))
            factories.coverage(profile, at(start), at(end), known_by=known_by)
            spans.append((at(start), at(end), known_by))
            start = end + self.rng.choice((1, 20))
        self.intervals[profile.pk] = spans

    def add_seat(self) -> None:
        rng = self.rng
        assigned = self.maybe(0.8, -100, 100)
        invited = self.maybe(0.5, -100, 60)
        columns = {
            "status": rng.choice(("active",) * 5 + ("invited", "suspended", "suspended", "removed", "unknown")),
            "assigned_at": assigned,
            "invited_at": invited,
            "suspended_at": self.maybe(0.4, -50, 150),
            "first_seen_at": self.moment(-100, 120),
            "known_since": self.moment(-100, 120),
            "read_from": self.maybe(0.5, -20, 60),
            "ended_at": self.maybe(0.3, 20, 200),
            "restored_at": self.maybe(0.2, 0, 150),
            "returned_at": self.maybe(0.2, 0, 150),
            "keep_until": on(rng.uniform(40, 150)) if rng.random() < 0.3 else None,
            "consumes_license": rng.random() < 0.95,
            "is_admin": rng.random() < 0.05,
            "excluded": rng.random() < 0.05,
        }
        used = {on(rng.uniform(-20, 180)) for _ in range(rng.choice((0, 0, 1, 2, 5)))}
        facts = Facts(rng.choice(list(self.profiles)), used, columns)
        seat = self.past.seat(*((day - BEGIN).days for day in used), profile=facts.profile, **columns)
        facts.pk = seat.pk
        if rng.random() < 0.6:
            left = on(rng.uniform(0, 150)) if rng.random() < 0.3 else None
            facts.person = {"department": rng.choice(DEPARTMENTS), "left_on": left}
            factories.match(seat, factories.person(**facts.person))
        if rng.random() < 0.2:
            until = on(rng.uniform(30, 120)) if rng.random() < 0.5 else None
            facts.exempt = {"at": self.moment(-10, 80), "until": until, "ended_at": self.maybe(0.4, 30, 120)}
            Exemption.objects.create(subscription=seat, reason="x", **facts.exempt)
        if columns["keep_until"] and rng.random() < 0.7:
            facts.decided_at = self.moment(0, 120)
            factories.candidate(seat, state=State.CLOSED_SKIPPED, closed_at=facts.decided_at)
        self.seats.append(facts)

    @property
    def profiles(self) -> list[IntegrationProfile]:
        return list(IntegrationProfile.objects.filter(pk__in=self.intervals))


@dataclass
class Recount:
    """The specification's section 10, for one seat on one day."""

    world: World
    seat: Facts
    day: date
    settings: dict[str, Any]
    horizon: int
    weak: bool

    def midnight(self, days: int = 0) -> datetime:
        return at((self.day - BEGIN).days + days)

    @property
    def ends(self) -> datetime:
        return self.midnight(1)

    def by_then(self, name: str) -> datetime | None:
        """A moment of the seat, if it had come by the end of the day."""
        moment: datetime | None = self.seat.columns[name]
        return moment if moment is not None and moment < self.ends else None

    def since_days(self, days: int) -> datetime:
        return self.midnight(1 - days)

    def covered(self, since: datetime, until: datetime) -> bool:
        known, read = self.seat.columns["known_since"], self.seat.columns["read_from"]
        for start, end, known_by in self.world.intervals[self.seat.profile.pk]:
            begins = start if known <= known_by else max(start, read) if read else None
            if begins is not None and begins <= since and end >= until:
                return True
        return False

    def reason(self) -> str:
        one, settings = self.seat.columns, self.settings
        began = next(filter(None, map(self.by_then, ("assigned_at", "invited_at", "first_seen_at"))), None)
        if began is None or one["excluded"] or (one["ended_at"] and one["ended_at"] < self.ends):
            return ""
        if one["status"] == "unknown" or (one["status"] == "removed" and not one["ended_at"]):
            return ""
        if not one["consumes_license"] or one["is_admin"] or self.exempt() or self.kept():
            return ""
        person = self.seat.person or {}
        if settings["include_leavers"] and person.get("left_on") and person["left_on"] < self.day:
            return "leaver"
        wanted = settings["conditions"].get("department")
        if wanted and person.get("department") not in wanted:
            return ""
        if self.invited():
            due = began < self.since_days(settings["invited_days"])
            return "invited" if settings["include_invited"] and due else ""
        return self.unused(began)

    def exempt(self) -> bool:
        one = self.seat.exempt
        if one is None or one["at"] >= self.ends:
            return False
        return (one["until"] is None or one["until"] >= self.day) and not (
            one["ended_at"] and one["ended_at"] < self.ends
        )

    def kept(self) -> bool:
        until, decided = self.seat.columns["keep_until"], self.seat.decided_at
        return until is not None and until >= self.day and decided is not None and decided < self.ends

    def invited(self) -> bool:
        one = self.seat.columns
        if one["status"] == "invited":
            return True
        if one["status"] == "removed" and one["invited_at"] and one["assigned_at"] is None:
            return True
        joined_later = one["assigned_at"] is not None and one["assigned_at"] >= self.ends
        return joined_later and self.by_then("invited_at") is not None

    def suspended(self) -> bool:
        one = self.seat.columns
        if one["suspended_at"] is None:
            return bool(one["status"] == "suspended")
        return one["status"] in ("suspended", "removed") and one["suspended_at"] < self.ends

    def unused(self, began: datetime) -> str:
        settings, threshold = self.settings, self.settings["threshold_days"]
        since, never = self.since_days(threshold), not any(day <= self.day for day in self.seat.used)
        if any(self.day - (threshold - 1) * DAY <= day <= self.day for day in self.seat.used):
            return ""
        if any(moment and moment >= since for moment in map(self.by_then, ("restored_at", "returned_at"))):
            return ""
        if self.suspended() and not settings["include_suspended"]:
            return ""
        suspended_at = self.seat.columns["suspended_at"]
        if self.suspended() and suspended_at and suspended_at >= since:
            return ""
        age = max(settings["minimum_age_days"], threshold) if never else settings["minimum_age_days"]
        if began >= self.since_days(age) or (never and not settings["include_never_active"]):
            return ""
        if not self.covered(since, self.ends) or (self.weak and not settings["logins_are_enough"]):
            return ""
        return "suspended" if self.suspended() else "never_active" if never else "idle"

    def outcome(self) -> str:
        back = any(self.day < day <= self.day + self.horizon * DAY for day in self.seat.used)
        over, ended = self.midnight(1 + self.horizon), self.seat.columns["ended_at"]
        if ended and ended < over and not back:
            return "ended"
        spans = self.world.intervals[self.seat.profile.pk]
        if over > max(end - timedelta(hours=72) for _, end, _ in spans):
            return "not_settled"
        if not self.covered(self.ends, over):
            return "gap"
        return "back" if back else "away"


@pytest.mark.parametrize("seed", range(12))
def test_the_database_and_a_plain_recount_agree(seed: int) -> None:
    rng = random.Random(seed)
    past = Past(known=(), rule_fields={"threshold_days": 60})  # type: ignore[arg-type]
    world, weak = World(rng, past), rng.random() < 0.3
    for profile in (past.profile, factories.profile(team_id="t2", file_events=False if weak else None)):
        world.add_profile(profile)
    for _ in range(150):
        world.add_seat()
    settings = {
        "threshold_days": rng.choice((7, 20, 30)),
        "minimum_age_days": rng.choice((0, 10, 40)),
        "invited_days": rng.choice((7, 30)),
        **{f"include_{kind}": rng.random() < 0.8 for kind in ("never_active", "invited", "suspended", "leavers")},
        "logins_are_enough": rng.random() < 0.5,
        "conditions": {"department": ["Sales", "IT"]} if rng.random() < 0.3 else {},
    }
    horizon = rng.choice((7, 30))
    assert set(settings) == set(BackTest.SETTINGS)
    expected = {}
    for seat in world.seats:
        for number in range(35, 150, 7):
            is_weak = seat.profile.file_events is False
            asked = Recount(world, seat, on(number), settings, horizon, is_weak)
            if seat.pk not in expected and (reason := asked.reason()):
                expected[seat.pk] = (number, reason, asked.outcome())
    test = past.test(35, 149, horizon, **settings)
    assert found(test) == expected
    assert test.figures["proposed"] == len(expected) > 10
    for outcome in ("back", "away", "ended", "gap", "not_settled"):
        assert test.figures[outcome] == sum(row[2] == outcome for row in expected.values())

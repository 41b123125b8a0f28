"""A thousand random facts: the SQL that finds candidates and the Python that explains one seat say the same of each."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from subscriptions.activity import last_used
from tests import factories
from tests.reclamation import decide_world

pytestmark = pytest.mark.django_db
WORLDS, SEATS = 25, 40
# Midnight does not exist in Santiago and Beirut when summer begins, and Lord Howe shifts by half an hour.
ZONES = ("UTC", "Europe/Berlin", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Kiritimati")
# The reasons that must have occurred for the comparison to say something. "manual" is asked for apart.
EXPECTED = {
    *("open_candidate", "ended", "excluded", "not_managed", "authorized_connection", "unrecognized", "rule_off"),
    *("stale_directory", "status_unknown", "no_license", "exempt", "admin", "kept", "leaver", "conditions", "invited"),
    *("invitation_recent", "active", "restored", "suspended", "suspended_recently", "too_new", "never_active"),
    *("stale_activity", "gap", "weak_signal", "idle"),
}


class Dice:
    """Random facts whose moments lie at the edges that decide, as often as elsewhere."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=self.random.randrange(24 * 300))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def moment(self, days: int, *, missing: float = 0.0) -> str | None:
        """A moment some days ago, or on the edge of such a day."""
        if self.chance(missing):
            return None
        if self.chance(0.5):
            edge = last_used.midnight(self.now, days - 1)
            return (edge + timedelta(seconds=self.random.choice((-1, 0, 1)))).isoformat()
        return (self.now - timedelta(hours=self.random.randrange(-30, 24 * 200))).isoformat()

    def day(self, share: float) -> str | None:
        if not self.chance(share):
            return None
        shift = self.random.choice((-40, -2, -1, 0, 1, 30))
        return (timezone.localtime(self.now).date() + timedelta(days=shift)).isoformat()

    def rule(self) -> dict[str, Any]:
        pick = self.random.choice
        rule: dict[str, Any] = {
            "mode": pick(("propose", "propose", "observe", "automatic")),
            "threshold_days": pick((7, 30, 60, 90)),
            "minimum_age_days": pick((0, 30, 60)),
            "invited_days": pick((7, 30)),
            "observe_until": pick((None, None, (self.now + timedelta(seconds=pick((-1, 0, 1)))).isoformat())),
        }
        rule |= {
            f"include_{name}": self.chance(0.7) for name in ("never_active", "invited", "suspended", "leavers")
        } | {"active": self.chance(0.9), "logins_are_enough": self.chance(0.5)}
        keys = {"department": ["Sales", "IT"], "country": ["DE"], "cost_center": ["", "C1"], "profile": ["p1", "p2"]}
        rule["conditions"] = {key: values for key, values in keys.items() if self.chance(0.12)}
        return rule

    def profile(self) -> dict[str, Any]:
        start = self.now - timedelta(days=self.random.choice((5, 40, 100, 200)))
        gap = self.now - timedelta(days=self.random.choice((1, 20, 65)))
        end = self.now - timedelta(hours=self.random.choice((1, 1, 1, 23, 24, 25, 47, 60)))
        whole = [[start.isoformat(), end.isoformat()]]
        before = gap - timedelta(days=2)
        broken = [[start.isoformat(), before.isoformat()], [gap.isoformat(), end.isoformat()]]
        refreshed = self.now - timedelta(hours=self.random.choice((1, 2, 3, 23, 24, 25)))
        return {
            "refreshed_at": None if self.chance(0.04) else refreshed.isoformat(),
            "coverage": self.random.choice((whole, broken)) if start < before and gap < end else whole,
            "file_events": self.random.choice((True, True, None, False)),
            "session_signal": self.chance(0.4),
        }

    def seat(self, rule: dict[str, Any]) -> dict[str, Any]:
        threshold = rule["threshold_days"]
        rare = {name: self.chance(0.03) for name in ("ended", "excluded", "open_candidate")}
        values = {"department": ["Sales", "HR", ""], "country": ["DE", "FR", ""], "cost_center": ["C1", ""]}
        person: dict[str, Any] = {name: self.random.choice(options) for name, options in values.items()}
        person["left_on"] = self.day(0.15)
        return rare | {
            "status": self.random.choice(("active",) * 6 + ("invited", "suspended", "suspended", "unknown")),
            "consumes_license": self.chance(0.97),
            "is_admin": self.chance(0.04),
            "assigned_at": self.moment(max(threshold, rule["minimum_age_days"]), missing=0.3),
            "invited_at": self.moment(rule["invited_days"], missing=0.5),
            "first_seen_at": self.moment(rule["minimum_age_days"]),
            "suspended_at": self.moment(threshold, missing=0.4),
            "restored_at": self.moment(threshold, missing=0.8),
            "last_activity": self.moment(threshold, missing=0.25),
            "person": person if self.chance(0.8) else None,
            "exempt": self.chance(0.05),
            "keep_until": self.day(0.1),
        }


def make_world(dice: Dice) -> list[Any]:
    """A profile, a rule, and seats of three kinds: of a model that is managed, of one that is not, and unrecognized."""
    facts, rule = dice.profile(), dice.rule()
    profile = decide_world.make_profile(facts)
    model = decide_world.make_rule(rule, profile, dice.now).software_model
    kinds = [factories.identifier(software_model=one) for one in (model, None)]
    kinds.append(factories.identifier(software_model=factories.software_model(under_management=False)))
    unwritten = factories.identifier(software_model=factories.software_model())  # no rule was made for it yet
    chosen = dice.random.choices([*kinds, unwritten], weights=(88, 3, 3, 6), k=SEATS)
    facts = [dice.seat(rule) for _ in chosen]
    facts[0] |= {"authorized_connection": True, "ended": False, "excluded": False, "open_candidate": False}
    return [decide_world.make_seat(one, profile, kind, dice.now) for one, kind in zip(facts, chosen, strict=True)]


def test_a_thousand_random_facts_have_one_reason_in_both() -> None:
    reasons: Counter[str] = Counter()
    for seed in range(WORLDS):
        with timezone.override(ZONES[seed % len(ZONES)]):
            dice = Dice(seed)
            seats = make_world(dice)
            by_hand = seed % 12 == 11
            told = decide_world.ask_sql(seats[0].profile, dice.now, by_hand=by_hand)
            for seat in seats:
                explained = decide_world.ask_python(seat, dice.now, by_hand=by_hand)
                assert explained == told[seat.pk], f"seed {seed}, {seat}"
                reasons[explained["reason"]] += 1
    assert sum(reasons.values()) == WORLDS * SEATS
    assert EXPECTED - set(reasons) == set(), "the dice are loaded"

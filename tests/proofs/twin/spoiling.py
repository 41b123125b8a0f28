"""Answers that are too good or not good enough: a list or a log that ends early, records nobody can read.

A log that ends early can be noticed or not, by the bounds that the documents name. The judge here decides which with
room to spare, from what it has seen itself; what cannot be noticed is kept apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tests.proofs.twin.truth import Event, Team
from tests.proofs.twin.vendor import Listing

DAY = timedelta(days=1)


@dataclass
class Judge:
    """What the twin knows of what was read: uses by day in the last reading that was believed, by team.

    `hidden` are uses that a fault took away without any trace by which it could be noticed.
    """

    now: Callable[[], datetime]
    days: dict[str, dict[date, int]] = field(default_factory=dict)
    hidden: set[Event] = field(default_factory=set)
    unnoticed: int = 0

    def is_noticed(self, listing: Listing, kept: list[Event]) -> bool:
        """Whether a log of which only these events are left is noticed, by far fewer events or by silence."""
        assert listing.since
        now, team = self.now(), listing.team
        before = self.days.get(team.team_id, {})
        again = {day: n for day, n in before.items() if listing.since.date() <= day < (now - DAY / 12).date()}
        uses = [event for event in set(kept) if event.owner]
        found = sum(1 for event in uses if event.at.date() in again)
        if sum(again.values()) >= 25 and found < 0.7 * sum(again.values()):
            return True
        days = [day for day in before if day < listing.since.date()] + [event.at.date() for event in uses]
        last = max(days, default=listing.since.date())
        return (now.date() - last).days >= 17 and _members_since(team, last) >= 24

    def hide(self, events: set[Event]) -> None:
        self.unnoticed += 1
        self.hidden |= events


def _members_since(team: Team, day: date) -> int:
    return sum(1 for one in team.listed() if one.status == "active" and one.joined.date() < day)


def spoil_list(kind: str, listing: Listing, rng: random.Random) -> None:
    """A list that ends early by far more than may end unasked, or members of which not all can be read."""
    rows = listing.rows
    if kind == "list truncated":
        most = len(rows) - max(4, len(rows) // 3)
        del rows[rng.randint(0, max(most, 0)) :]
        return
    for at in rng.sample(range(len(rows)), min(rng.randint(1, 3), len(rows))):
        member, record = rows[at]
        odd = {"profile": {"team_member_id": member.member_id, "name": 7}} if rng.random() < 0.7 else {"profile": {}}
        rows[at] = (member, odd)


def spoil_log(kind: str, listing: Listing, rng: random.Random, judge: Judge) -> None:
    """A log that ends early, or whose events lose what says whose they are."""
    rows = listing.rows
    if kind in ("log truncated", "log empty"):
        kept = [] if kind == "log empty" else _cut_log(rows, rng, judge.now())
        lost = {event for event, _ in rows} - {event for event, _ in kept}
        if lost and not judge.is_noticed(listing, [event for event, _ in kept]):
            judge.hide(lost)
        rows[:] = kept
        return
    chosen = rng.sample(range(len(rows)), int(len(rows) * rng.uniform(0.03, 0.6)))
    for at in chosen:
        event, body = rows[at]
        rows[at] = (event, ODD[kind](body))
    most = max(0.12 * len(rows), 25) if kind == "actors left out" else 0.015 * len(rows)
    if len(chosen) <= most:
        judge.hide({rows[at][0] for at in chosen})


def _cut_log(rows: list[Any], rng: random.Random, now: datetime) -> list[Any]:
    """Only the first pages, or only what is older than a moment."""
    if rng.random() < 0.4:
        return rows[: rng.randint(0, len(rows))]
    moment = now - DAY * rng.choice((0.2, 1, 3, 10, 20, 40))
    return [row for row in rows if row[0].at < moment]


def _take_actor(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "actor"}


ODD: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "unknown kinds of actor": lambda body: {**body, "actor": {".tag": "robot", "robot": body.get("actor")}},
    "actors left out": _take_actor,
    "odd events": lambda body: {**body, "event_type": None},
}

"""One seat's activity day by day (UTC), for a chart and for the table beside it.

A day that was not read is unknown; it never counts as a day without activity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.db.models.functions import Greatest

from subscriptions.activity.coverage import reach
from subscriptions.models import Subscription

SHOWN = 90
HEIGHT, STEP = 100, 10
KNOWN, FRESH, GAP = "known", "fresh", "gap"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """`state` is known, fresh (late events may still be missing) or gap (not all of the day was read)."""

    day: date
    events: int
    state: str


@dataclass(frozen=True)
class Bar:
    """A day as it is drawn. All numbers are in units of the drawing."""

    day: Day
    x: int
    top: float
    height: float


@dataclass(frozen=True)
class TableLine:
    """A line of the table: one day with events, or a stretch of days without any."""

    since: date
    until: date
    events: int
    state: str


def chart_for_seat(seat: Subscription, now: datetime) -> dict[str, Any]:
    """The last 90 days of a seat: bars of the chart, lines of the table, and totals. Two queries."""
    days = list(_read_days(seat, now))
    most = max(day.events for day in days)
    return {
        "bars": [_draw_bar(day, position, most) for position, day in enumerate(days)],
        "lines": list(_table_lines(days)),
        "width": STEP * len(days),
        "height": HEIGHT,
        "step": STEP,
        "since": days[0].day,
        "until": days[-1].day,
        "most": most,
        "events": sum(day.events for day in days),
        "active_days": sum(1 for day in days if day.events),
        "gap_days": sum(1 for day in days if day.state == GAP),
    }


def _read_days(seat: Subscription, now: datetime) -> Iterator[Day]:
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=SHOWN - 1)
    rows = seat.activity_days.filter(day__gte=first).values_list("day", Greatest("events", "earlier"))
    events = dict(rows)
    start = datetime.combine(first, time(0), tzinfo=UTC)
    read = reach.of_seat(seat.profile, seat)
    for number in range(SHOWN):
        day = first + timedelta(days=number)
        yield Day(day, events.get(day, 0), _day_state(start + number * DAY, read, now))


def _day_state(start: datetime, read: list[tuple[datetime, datetime, datetime]], now: datetime) -> str:
    end = start + DAY
    for one in read:
        since, settled_until, until = one
        if since <= start and until >= end:
            return KNOWN if settled_until >= end else FRESH
        # The last pull ended in the middle of this day; the next pull reads the rest of it.
        if one is read[-1] and since <= start < until and now - until < reach.STALE:
            return FRESH
    return GAP


def _draw_bar(day: Day, position: int, most: int) -> Bar:
    height = max(4.0, HEIGHT * day.events / most) if day.events else 0.0
    return Bar(day, position * STEP, HEIGHT - height, height)


def _table_lines(days: list[Day]) -> Iterator[TableLine]:
    """The latest day first. Neighboring days without events become one line if their state is the same."""
    for (busy, state), group in groupby(reversed(days), key=lambda day: (day.events and day.day, day.state)):
        stretch = list(group)
        yield TableLine(stretch[-1].day, stretch[0].day, stretch[0].events if busy else 0, state)

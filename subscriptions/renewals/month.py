"""The renewals of a month as a calendar: by when the vendor must know, and what is renewed."""

from __future__ import annotations

import re
from calendar import Calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from subscriptions.renewals.rows import RenewalRow

FIRST_YEAR, LAST_YEAR = 2000, 2199
MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Entry:
    """What a day has: the last day for a reduction, or a renewal."""

    row: RenewalRow
    is_deadline: bool


@dataclass(frozen=True)
class CalendarDay:
    day: date
    in_month: bool
    is_today: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Month:
    """A calendar of whole weeks, from Monday on."""

    first: date
    weeks: list[list[CalendarDay]]
    weekdays: tuple[str, ...] = WEEKDAYS

    @property
    def name(self) -> str:
        return f"{self.first:%B %Y}"

    @property
    def before(self) -> str:
        """The month before, as the address has it; empty at the end of the calendar."""
        return write_month(self.first.year, self.first.month - 1)

    @property
    def after(self) -> str:
        return write_month(self.first.year, self.first.month + 1)

    @property
    def count(self) -> int:
        """How many entries the month itself has."""
        return sum(len(day.entries) for week in self.weeks for day in week if day.in_month)


def write_month(year: int, month: int) -> str:
    """A month as the address has it, such as 2026-12; also of month 0 and 13. Empty outside of the calendar."""
    year, place = year + (month - 1) // 12, (month - 1) % 12
    return f"{year}-{place + 1:02d}" if FIRST_YEAR <= year <= LAST_YEAR else ""


def read_month(text: str, today: date) -> date:
    """The first day of the month in the address; of this month where that is none."""
    found = MONTH.fullmatch(text)
    if found and FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return date(int(found[1]), int(found[2]), 1)
    return today.replace(day=1)


def make_month(first: date, rows: Iterable[RenewalRow], today: date) -> Month:
    """The calendar of that month. Days beside it belong to whole weeks and stay empty."""
    entries: dict[date, list[Entry]] = {}
    for row in rows:
        entries.setdefault(row.reduce_by, []).append(Entry(row, is_deadline=True))
        entries.setdefault(row.renewal.renewal, []).append(Entry(row, is_deadline=False))
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    return Month(first, [[_make_day(one, first, entries, today) for one in week] for week in weeks])


def _make_day(one: date, first: date, entries: dict[date, list[Entry]], today: date) -> CalendarDay:
    in_month = (one.year, one.month) == (first.year, first.month)
    return CalendarDay(one, in_month, one == today, tuple(entries.get(one, ())) if in_month else ())

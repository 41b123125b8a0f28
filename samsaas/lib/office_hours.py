"""When mails may be sent: Monday to Friday from 8 to 18 o'clock in the installation's zone, but on no quiet day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.utils import timezone

OPENS, CLOSES = time(8), time(18)
FRIDAY = 4
LONGEST_REST = 400  # days; whoever makes every day of the year a quiet one gets his mails all the same


def is_open(now: datetime, quiet: Collection[str]) -> bool:
    """Whether it is an hour for mails. `quiet` has days as `YYYY-MM-DD`, and as `MM-DD` those of every year."""
    local = timezone.localtime(now)
    return _is_working_day(local.date(), quiet) and OPENS <= local.time() < CLOSES


def next_open(now: datetime, quiet: Collection[str]) -> datetime:
    """This moment if it is one for mails, otherwise the beginning of the next time for them."""
    if is_open(now, quiet):
        return now
    local = timezone.localtime(now)
    first = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
    days = (first + timedelta(days=number) for number in range(LONGEST_REST))
    day = next((day for day in days if _is_working_day(day, quiet)), first)
    return datetime.combine(day, OPENS, tzinfo=timezone.get_current_timezone())


def end_of_day(day: date) -> datetime:
    """The last moment of a day in the installation's zone, whatever the clocks do on it."""
    following = datetime.combine(day + timedelta(days=1), time(0), tzinfo=timezone.get_current_timezone())
    return following - timedelta(microseconds=1)


def _is_working_day(day: date, quiet: Collection[str]) -> bool:
    return day.weekday() <= FRIDAY and not {day.isoformat(), f"{day:%m-%d}"} & set(quiet)

"""Moments in the time zone of the person who reads them. Days, and all that counts in days, stay the installation's.

The zone of the person is kept apart from Django's current one, which decides what a day is in queries, forms and jobs.
It is known while a request is answered, and nowhere else: jobs, mails and files write the installation's zone or UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

# What finds the name of the zone when the first moment is shown; most answers show none.
_find_name: ContextVar[Callable[[], str] | None] = ContextVar("person_zone", default=None)


@contextmanager
def reading_in(find_name: Callable[[], str]) -> Iterator[None]:
    """Inside, moments are shown in the zone of this name. An empty or unknown one stands for the installation's."""
    before = _find_name.set(find_name)
    try:
        yield
    finally:
        _find_name.reset(before)


def local_time(moment: datetime) -> datetime:
    """The moment in the person's zone."""
    return moment.astimezone(current_zone())


def describe_moment(moment: datetime) -> str:
    """Date and time in the person's zone, as all pages write it."""
    return f"{local_time(moment):%-d %b %Y, %H:%M}"


def current_zone() -> tzinfo:
    """The person's zone, or the installation's."""
    find_name = _find_name.get()
    name = find_name() if find_name else ""
    return (_open_zone(name) if name else None) or timezone.get_current_timezone()


@cache
def _open_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None  # this machine does not know it any more

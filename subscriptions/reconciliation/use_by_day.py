"""How much was in use at the end of each day, and what was owned then: for charts, which must not count seats.

Use is kept by seat type, so that it follows a seat type that is mapped to another software model. What was owned is
computed from the entitlements as they are known today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from django.db.models import Max, Min, Q, Sum
from django.utils import timezone

from subscriptions.entitlements.terms import Book
from subscriptions.models import Subscription, UseDay
from subscriptions.reconciliation import count_days

OLDEST = timedelta(days=366)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayOfUse:
    """In use and owned at the end of a day. `in_use` is None where nothing is known; `owned` without limit."""

    day: date
    in_use: int | None
    owned: int | None


def store_missing(*, now: datetime) -> int:
    """Count the days that are over and not stored yet. Returns of how many of them there was anything."""
    days = list(_missing_days(timezone.localtime(now).date()))
    counted = count_days.count_by_identifier(days)
    rows = [UseDay(day=day, identifier_id=identifier, in_use=number) for day, identifier, number in counted]
    UseDay.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return len({row.day for row in rows})


def _missing_days(today: date) -> Iterator[date]:
    last = UseDay.objects.aggregate(last=Max("day"))["last"]
    day = last + ONE_DAY if last else _first_day(today)
    while day < today:
        yield day
        day += ONE_DAY


def _first_day(today: date) -> date:
    """The day on which the first seat was seen, or the oldest one that is drawn; today without seats."""
    first_seen = Subscription.objects.order_by().aggregate(first=Min("first_seen_at"))["first"]
    return today if first_seen is None else max(timezone.localtime(first_seen).date(), today - OLDEST)


def days_of(models: Iterable[int], since: date, until: date, book: Book) -> list[DayOfUse]:
    """Use and rights of these software models for each day from `since` to `until`, both included. One query."""
    return on_days(models, [since + place * ONE_DAY for place in range((until - since).days + 1)], book)


def on_days(models: Iterable[int], days: Sequence[date], book: Book) -> list[DayOfUse]:
    """Use and rights of these software models, whose entitlements are in the book, at the end of days. One query."""
    keys = set(models)
    rows = UseDay.objects.filter(day__in=days).order_by().values_list("day")
    of_models = Q(identifier__software_model__in=keys)
    used = {day: number or 0 for day, number in rows.annotate(used=Sum("in_use", filter=of_models))}
    owned = _owned_on(days, keys, book)
    return [DayOfUse(day, used.get(day), owned[day]) for day in days]


def _owned_on(days: Sequence[date], models: set[int], book: Book) -> dict[date, int | None]:
    """The rights that are in force on each day; None where one of them is unlimited."""
    changes, unlimited = [0] * (len(days) + 1), set[date]()
    for one in book.entitlements:
        places = book.places_in(one, days) if one.software_model_id in models else ()
        if places:
            changes[places[0]] += one.purchased_rights
            changes[places[-1] + 1] -= one.purchased_rights
            unlimited.update(days[place] for place in places if one.unlimited)
    rights = list(accumulate(changes))
    return {day: None if day in unlimited else number for day, number in zip(days, rights, strict=False)}

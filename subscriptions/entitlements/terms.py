"""When an entitlement counts, and what it costs a year. A day is a calendar day of the installation's zone.

Amounts are exact fractions here and are rounded once, where they are shown or stored.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import models

from samsaas.lib import money
from subscriptions.models import Entitlement

ONE_DAY = timedelta(days=1)
PERIODS_A_YEAR = {Entitlement.Period.MONTHLY: 12, Entitlement.Period.QUARTERLY: 4, Entitlement.Period.ANNUALLY: 1}
PRICE_DIGITS = 4
# What says when and how long an entitlement counts, how much it is, what it costs, and by when the vendor must know.
TERMS = (
    *("software_model", "state", "start", "end", "retired_on", "renews", "purchased_rights", "unlimited"),
    *("period", "unit_cost", "total_cost", "currency", "notice_days", "auto_renew", "reduction_asked_on"),
)


class DerivedState(models.TextChoices):
    """What people call the state of an entitlement on a day."""

    BUILD = "build", "Build"
    PENDING = "pending", "Pending"
    IN_USE = "in_use", "In use"
    SUPERSEDED = "superseded", "Superseded"
    EXPIRED = "expired", "Expired"
    RETIRED = "retired", "Retired"


class Book:
    """Entitlements with the renewals that supersede them. Both have to be in it to be judged rightly."""

    def __init__(self, entitlements: Iterable[Entitlement]) -> None:
        self.entitlements = sorted(entitlements, key=lambda one: one.pk)
        self.renewal_of: Mapping[int, Entitlement] = {
            one.renews_id: one for one in self.entitlements if one.renews_id and is_ever_in_force(one)
        }

    @classmethod
    def read(cls, **filters: object) -> Book:
        """The published entitlements, or some of them. Renewals are of the same software model."""
        return cls(Entitlement.objects.published().filter(**filters))

    @classmethod
    def read_terms(cls, **filters: object) -> Book:
        """The same with the columns of `TERMS` only: for charts and for what is due, over hundreds of entitlements."""
        return cls(Entitlement.objects.published().filter(**filters).only(*TERMS))

    def renewal(self, one: Entitlement) -> Entitlement | None:
        """The published renewal of an entitlement, unless it was retired before it began."""
        return self.renewal_of.get(one.pk)

    def is_superseded(self, one: Entitlement, day: date) -> bool:
        """Whether the renewal has begun on that day. It stays superseded when the renewal is over."""
        renewal = self.renewal(one)
        return renewal is not None and renewal.start <= day

    def is_in_force(self, one: Entitlement, day: date) -> bool:
        """Whether its rights count on that day."""
        in_term = one.start <= day and (one.end is None or day <= one.end)
        is_retired = one.retired_on is not None and one.retired_on <= day
        return is_published(one) and in_term and not is_retired and not self.is_superseded(one, day)

    def force_of(self, one: Entitlement) -> tuple[date, date | None] | None:
        """The first and the last day on which its rights count (None: it goes on); None if there is no such day."""
        renewal = self.renewal(one)
        over = [day for day in (one.retired_on, renewal.start if renewal else None) if day is not None]
        ends = [day - ONE_DAY for day in over] + ([one.end] if one.end is not None else [])
        last = min(ends, default=None)
        if not is_published(one) or (last is not None and last < one.start):
            return None
        return one.start, last

    def places_in(self, one: Entitlement, days: Sequence[date]) -> range:
        """The places of those of the days, which are in order, on which its rights count."""
        term = self.force_of(one)
        if term is None:
            return range(0)
        first, last = term
        return range(bisect_left(days, first), len(days) if last is None else bisect_right(days, last))

    def in_force(self, day: date) -> list[Entitlement]:
        """Those whose rights count on that day, by number."""
        return [one for one in self.entitlements if self.is_in_force(one, day)]

    def state_on(self, one: Entitlement, day: date) -> DerivedState:
        """What people call its state on that day."""
        if not is_published(one):
            return DerivedState.BUILD
        if one.retired_on is not None and one.retired_on <= day:
            return DerivedState.RETIRED
        if one.start > day:
            return DerivedState.PENDING
        if self.is_superseded(one, day):
            return DerivedState.SUPERSEDED
        return DerivedState.EXPIRED if one.end is not None and one.end < day else DerivedState.IN_USE


def is_published(one: Entitlement) -> bool:
    """Whether it may count at all. One in Build never does."""
    return one.state in (Entitlement.State.IN_USE, Entitlement.State.RETIRED)


def is_ever_in_force(one: Entitlement) -> bool:
    """Whether there is a day on which it counts, renewals apart: it was not retired before it began."""
    return is_published(one) and (one.retired_on is None or one.retired_on > one.start)


def by_model(entitlements: Iterable[Entitlement]) -> dict[int, list[Entitlement]]:
    """The entitlements of each software model."""
    found: dict[int, list[Entitlement]] = {}
    for one in entitlements:
        found.setdefault(one.software_model_id, []).append(one)
    return found


def total_cost(one: Entitlement) -> Decimal | None:
    """The cost of all rights for one period; None if it is not known. The total wins over the unit cost."""
    if one.total_cost is not None or one.unit_cost is None:
        return one.total_cost
    return one.unit_cost * one.purchased_rights if not one.unlimited else None


def costs_disagree(one: Entitlement) -> bool:
    """Whether unit cost and total cost are both given and say different things. The total wins."""
    if one.total_cost is None or one.unit_cost is None or one.unlimited:
        return False
    return one.total_cost != one.unit_cost * one.purchased_rights


def yearly_cost(one: Entitlement) -> Fraction | None:
    """The cost of all rights for a year; None if it is not known."""
    total = total_cost(one)
    if total is None:
        return None
    if one.period in PERIODS_A_YEAR:
        return Fraction(total) * PERIODS_A_YEAR[Entitlement.Period(one.period)]
    return Fraction(total) / term_in_years(one.start, one.end) if one.end else None


def term_in_years(start: date, end: date) -> Fraction:
    """The length of a term whose first and last day count: whole months where it has them, else days of 365."""
    after = end + ONE_DAY
    months = (after.year - start.year) * 12 + after.month - start.month
    if months > 0 and add_months(start, months) == after:
        return Fraction(months, 12)
    return Fraction((after - start).days, 365)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month where it has no such day."""
    month = day.year * 12 + day.month - 1 + months
    year, index = divmod(month, 12)
    return date(year, index + 1, min(day.day, monthrange(year, index + 1)[1]))


def price_of_right(one: Entitlement) -> Decimal | None:
    """What one right costs a year; None if that is not known. Raises `money.TooLarge`."""
    cost = yearly_cost(one)
    if cost is None or one.unlimited or not one.purchased_rights:
        return None
    return money.round_half_up(cost / one.purchased_rights, PRICE_DIGITS)


def annual_spend(in_force: Iterable[Entitlement]) -> dict[str, Decimal]:
    """What entitlements cost a year, by currency, as far as it is known. Raises `money.TooLarge`."""
    sums: dict[str, Fraction] = {}
    for one in in_force:
        if (cost := yearly_cost(one)) is not None:
            sums[one.currency] = sums.get(one.currency, Fraction()) + cost
    return {currency: money.rounded(amount, currency) for currency, amount in sorted(sums.items())}

"""When pending savings become money: the next renewal of each software model, and by when the vendor must know.

What was freed becomes money only if the renewal buys fewer rights, so the day that matters is *reduce by*, before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Sum

from reclamation.models import SavingsEntry
from reclamation.savings.balance import FreedState, freed_entries
from reclamation.savings.figures import SavingsFigure, entries_url
from reclamation.savings.ledger import Kind
from reclamation.savings.renewals import LAPSES_AFTER, begun_renewals, reduction_of
from subscriptions.entitlements.renewals import Renewal
from subscriptions.entitlements.terms import Book, is_ever_in_force
from subscriptions.models import Entitlement
from subscriptions.renewals import recommend

YEAR = 366


@dataclass
class Pending:
    """The pending seats of one software model, and its next renewal. `too_late` is one that is over for a reduction.

    `lapsing` of them lapse before that renewal begins.
    """

    model: int | None
    name: str
    figure: SavingsFigure = field(default_factory=SavingsFigure)
    days: dict[date, int] = field(default_factory=dict)
    next: Renewal | None = None
    too_late: Renewal | None = None

    @property
    def url(self) -> str:
        """Its lines."""
        chosen = {"model": self.name} if self.name else {"without": "model"}
        return entries_url(lines="pending", **chosen)

    @property
    def lapsing(self) -> int:
        if self.next is None:
            return 0
        first = self.next.renewal - LAPSES_AFTER
        return sum(count for day, count in self.days.items() if day < first)

    @property
    def lapses_on(self) -> date:
        """The first day on which one of them has lapsed, if nothing happens."""
        return min(self.days) + LAPSES_AFTER + timedelta(days=1)


def list_pending(today: date, book: Book) -> list[Pending]:
    """Pending seats by software model, the next deadline first; those without a renewal at the end."""
    found: dict[str, Pending] = {}
    for row in _read(today):
        one = found.setdefault(row["software_model"], Pending(row["of_model"], row["software_model"]))
        one.model = one.model or row["of_model"]
        one.figure.add(row["lines"], row["currency"], row["total"], row["lines"] - row["known"])
        one.days[row["on"]] = one.days.get(row["on"], 0) + row["lines"]
    if found:
        _find_renewals(found.values(), today, book)
    return sorted(found.values(), key=lambda one: (one.next.reduce_by if one.next else date.max, one.name))


def _read(today: date) -> Iterable[dict[str, Any]]:
    pending = freed_entries(today).filter(became=FreedState.PENDING).order_by()
    rows = pending.values("of_model", "software_model", "currency", "on")
    return rows.annotate(lines=Count("pk"), known=Count("amount"), total=Sum("amount"))


def _find_renewals(found: Iterable[Pending], today: date, book: Book) -> None:
    renewals = recommend.list_renewals(today, horizon=YEAR, book=book)
    limited = [one for one in renewals if not one.entitlement.unlimited and not one.is_overdue(today)]
    for pending in found:
        own = [one for one in limited if one.entitlement.software_model_id == pending.model]
        in_time = [one for one in own if not one.is_too_late or one.entitlement.reduction_asked_on]
        pending.next = min(in_time, key=lambda one: (one.renewal, one.entitlement.pk), default=None)
        late = [one for one in own if one not in in_time]
        pending.too_late = min(late, key=lambda one: one.renewal, default=None)


def next_deadline(found: Iterable[Pending]) -> Pending | None:
    """The model whose vendor must know first."""
    return min((one for one in found if one.next), key=lambda one: one.next.reduce_by, default=None)  # type: ignore[union-attr]


@dataclass(frozen=True)
class Ended:
    """A block that ended, and its last day."""

    entitlement: Entitlement
    last_day: date


def list_ended(book: Book, today: date) -> list[Ended]:
    """Blocks of the last year that ended or were retired without a renewal, latest first. They save nothing here."""
    found = [one for one in book.entitlements if is_ever_in_force(one) and book.renewal(one) is None]
    ended = [Ended(one, _last_day(one)) for one in found]
    recent = [one for one in ended if today - timedelta(days=YEAR) <= one.last_day < today]
    return sorted(recent, key=lambda one: one.last_day, reverse=True)


def _last_day(one: Entitlement) -> date:
    ends = [one.end or date.max]
    if one.retired_on is not None:
        ends.append(one.retired_on - timedelta(days=1))
    return min(ends)


@dataclass(frozen=True)
class Reduction:
    """A renewal with fewer rights than before: how many of them are ours, and how many were reduced otherwise."""

    renewal: Entitlement
    rights: int
    ours: int

    @property
    def otherwise(self) -> int:
        return self.rights - self.ours


def list_reductions(day: date) -> list[Reduction]:
    """The renewals that have begun with fewer rights, latest first."""
    saved = SavingsEntry.objects.filter(kind=Kind.SAVED, on__lte=day).order_by()
    ours: Mapping[Any, int] = dict(saved.values_list("entitlement").annotate(Count("pk")))
    rows = begun_renewals(day).select_related("renews", "software_model")
    found = [Reduction(one, reduction_of(one), ours.get(one.pk, 0)) for one in rows]
    return sorted((one for one in found if one.rights), key=lambda one: one.renewal.start, reverse=True)

"""What to renew, by when the vendor has to know, and how many rights it should be. Nothing here counts seats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from samsaas.lib import money
from subscriptions.entitlements.terms import Book, by_model, price_of_right
from subscriptions.models import Entitlement, MetricResult

HORIZON_DAYS = 90
HEADROOM_PERCENT = 5


@dataclass(frozen=True)
class Need:
    """What a software model needs, as far as its renewals are concerned."""

    used: int
    excluded: int
    open_candidates: int

    @property
    def keep(self) -> int:
        """What is used and billed, less what can be reclaimed."""
        return max(0, self.used + self.excluded - self.open_candidates)

    def target(self, headroom: int) -> int:
        """The rights to own: what is kept, and some per cent more."""
        return self.keep + -(-self.keep * headroom // 100)


@dataclass(frozen=True)
class Beside:
    """Another entitlement of the model that has these rights after the renewal. None: unlimited."""

    entitlement: Entitlement
    rights: int | None


@dataclass(frozen=True)
class Renewal:
    """An entitlement that ends, and what to do. Without advice `recommended`, `change` and `yearly_change` are None.

    `target` is what the model should own in all, `beside` are the others that will count then.
    """

    entitlement: Entitlement
    renewal: date
    reduce_by: date
    days_left: int
    need: Need
    target: int
    beside: tuple[Beside, ...]
    recommended: int | None = None
    change: int | None = None
    yearly_change: Decimal | None = None

    @property
    def others(self) -> int | None:
        """The rights there will be beside it; None if one of the others is unlimited."""
        return add_up(self.beside)

    @property
    def is_too_late(self) -> bool:
        """Whether the day by which the vendor must know of a reduction is over."""
        return self.days_left < 0

    def is_overdue(self, day: date) -> bool:
        """Whether the entitlement has ended already."""
        return self.renewal <= day


def add_up(beside: Iterable[Beside]) -> int | None:
    """The rights of all of them; None if one is unlimited."""
    rights = [one.rights for one in beside]
    known = [number for number in rights if number is not None]
    return sum(known) if len(known) == len(rights) else None


def needs_of(figures: Mapping[int, MetricResult], open_candidates: Mapping[int, int] | None = None) -> dict[int, Need]:
    """The needs of the models of a position, with the candidates that are open now, or that its run saw."""
    return {
        key: Need(
            one.used, one.excluded, one.open_candidates if open_candidates is None else open_candidates.get(key, 0)
        )
        for key, one in figures.items()
    }


def advise(
    book: Book,
    needs: Mapping[int, Need],
    day: date,
    *,
    horizon: int = HORIZON_DAYS,
    headroom: int = HEADROOM_PERCENT,
) -> list[Renewal]:
    """The renewals of a day, overdue ones first. `needs` are those of the models of the position on that day."""
    due = [one for one in book.entitlements if one.software_model_id in needs and is_due(book, one, day, horizon)]
    of_model, blocks = by_model(book.entitlements), by_model(due)
    recommended: dict[int, int | None] = {}
    found = []
    for one in due:  # by number, so that earlier blocks of the same day have their advice
        model, on = one.software_model_id, max(day, renewal_day(one))
        in_force = [other for other in of_model[model] if other.pk != one.pk and book.is_in_force(other, on)]
        beside = _list_beside(one, in_force, blocks[model], recommended)
        renewal = _describe(one, day, needs[model], needs[model].target(headroom), beside)
        recommended[one.pk] = renewal.recommended
        found.append(renewal)
    return sorted(found, key=lambda renewal: (renewal.renewal, renewal.entitlement.pk))


def is_due(book: Book, one: Entitlement, day: date, horizon: int) -> bool:
    """Whether it ends within the horizon, or ended within it and nobody decided, and has no renewal."""
    if one.end is None or book.renewal(one) is not None:
        return False
    if book.is_in_force(one, day):
        return one.end <= day + timedelta(days=horizon)
    is_decided = one.retired_on is not None and one.retired_on <= day
    is_recent = day - timedelta(days=horizon) <= one.end < day
    return is_recent and not is_decided and book.is_in_force(one, one.end)


def _list_beside(
    one: Entitlement, in_force: list[Entitlement], due: list[Entitlement], recommended: Mapping[int, int | None]
) -> tuple[Beside, ...]:
    """What will count beside this entitlement.

    Of other blocks that end on the same day, those before it count as recommended, those after it as they are.
    """
    found = [Beside(other, _rights_of(other)) for other in in_force]
    for other in due:
        if other.end == one.end and other.pk != one.pk:
            advice = recommended.get(other.pk)
            found.append(Beside(other, _rights_of(other) if advice is None else advice))
    return tuple(found)


def _rights_of(one: Entitlement) -> int | None:
    return None if one.unlimited else one.purchased_rights


def renewal_day(one: Entitlement) -> date:
    """The day after its last one."""
    if one.end is None:
        raise ValueError("It goes on without an end.")
    return one.end + timedelta(days=1)


def reduce_by(one: Entitlement) -> date:
    """The last day on which the vendor takes a reduction for the renewal."""
    return renewal_day(one) - timedelta(days=one.notice_days)


def _describe(one: Entitlement, day: date, need: Need, target: int, beside: tuple[Beside, ...]) -> Renewal:
    others, until = add_up(beside), reduce_by(one)
    plain = Renewal(one, renewal_day(one), until, (until - day).days, need, target, beside)
    if one.unlimited or others is None:
        return plain
    advice = max(0, one.minimum_rights, target - others)
    change = advice - one.purchased_rights
    return replace(plain, recommended=advice, change=change, yearly_change=_money_of(one, change))


def _money_of(one: Entitlement, change: int) -> Decimal | None:
    """What so many rights more or less cost a year; None where that is not known, or too large to be written."""
    try:
        price = price_of_right(one)
        return None if price is None else money.rounded(price * change, one.currency)
    except money.TooLarge:
        return None

"""What to renew, by when the vendor has to know, and how many rights it should be. Nothing here counts seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from samsaas.lib import money
from subscriptions.entitlements.terms import Book, price_of_right
from subscriptions.models import Entitlement, MetricResult

HORIZON_DAYS = 90
HEADROOM_PERCENT = 5


@dataclass(frozen=True)
class Renewal:
    """An entitlement that ends, and what to do. Without advice `recommended`, `change` and `yearly_change` are None."""

    entitlement: Entitlement
    renewal: date
    reduce_by: date
    days_left: int
    recommended: int | None = None
    change: int | None = None
    yearly_change: Decimal | None = None

    @property
    def is_too_late(self) -> bool:
        """Whether the day by which the vendor must know of a reduction is over."""
        return self.days_left < 0

    def is_overdue(self, day: date) -> bool:
        """Whether the entitlement has ended already."""
        return self.renewal <= day


@dataclass(frozen=True)
class Need:
    """What a software model needs, as far as its renewals are concerned."""

    used: int
    excluded: int
    open_candidates: int

    def target(self, headroom: int) -> int:
        """The rights to own: what is used and billed, less what can be reclaimed, and some per cent more."""
        keep = self.used + self.excluded - self.open_candidates
        return keep + -(-keep * headroom // 100)


def needs_of(figures: Mapping[int, MetricResult]) -> dict[int, Need]:
    """The needs of the models of a position."""
    return {key: Need(one.used, one.excluded, one.open_candidates) for key, one in figures.items()}


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
    recommended: dict[int, int | None] = {}
    found = []
    for one in due:  # by number, so that earlier blocks of the same day have their advice
        others = _others(book, one, due, day, recommended)
        target = needs[one.software_model_id].target(headroom)
        advice = None if one.unlimited or others is None else max(0, one.minimum_rights, target - others)
        recommended[one.pk] = advice
        found.append(_describe(one, day, advice))
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


def _others(
    book: Book, one: Entitlement, due: list[Entitlement], day: date, recommended: Mapping[int, int | None]
) -> int | None:
    """The rights there will be beside this entitlement; None if one of them is unlimited.

    Of other blocks that end on the same day, those before it count as recommended, those after it as they are.
    """
    renewal = _renewal_day(one)
    on = day if renewal <= day else renewal
    model = one.software_model_id
    beside = [other for other in book.in_force(on) if other.software_model_id == model and other.pk != one.pk]
    blocks = [other for other in due if other.software_model_id == model and other.end == one.end and other != one]
    if any(other.unlimited for other in (*beside, *blocks)):
        return None
    rights = sum(other.purchased_rights for other in beside)
    for other in blocks:
        advice = recommended.get(other.pk) if other.pk < one.pk else other.purchased_rights
        rights += other.purchased_rights if advice is None else advice
    return rights


def _renewal_day(one: Entitlement) -> date:
    if one.end is None:
        raise ValueError("It goes on without an end.")
    return one.end + timedelta(days=1)


def _describe(one: Entitlement, day: date, recommended: int | None) -> Renewal:
    renewal = _renewal_day(one)
    reduce_by = renewal - timedelta(days=one.notice_days)
    days_left = (reduce_by - day).days
    if recommended is None:
        return Renewal(one, renewal, reduce_by, days_left)
    change, price = recommended - one.purchased_rights, price_of_right(one)
    amount = None if price is None else money.rounded(price * change, one.currency)
    return Renewal(one, renewal, reduce_by, days_left, recommended, change, amount)

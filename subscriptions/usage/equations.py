"""The figures of a license metric as equations, whose terms lead to the rows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.urls import reverse

from samsaas.lib import money
from subscriptions import counting
from subscriptions.entitlements import words
from subscriptions.entitlements.price import OVERRIDE
from subscriptions.entitlements.terms import yearly_cost
from subscriptions.models import Entitlement, MetricResult, SeatResult
from subscriptions.usage.amounts import UNKNOWN, write_amount, write_amounts, write_price
from subscriptions.usage.potential import Potential

MOST_TERMS = 6  # entitlements that stand in an equation one by one
UNLIMITED = "unlimited"
Covered = SeatResult.Covered


@dataclass(frozen=True)
class Operand:
    """One side, or one part of a side, of an equation. `sign` stands before it."""

    text: str
    label: str
    url: str = ""
    sign: str = ""


@dataclass(frozen=True)
class Equation:
    """A figure and what it is made of. `key` is its id on the page."""

    key: str
    title: str
    result: Operand
    terms: Sequence[Operand] = ()
    note: str = ""


@dataclass(frozen=True)
class Ground:
    """What the equations of a metric rest on: its entitlements of that day, and the open candidates.

    `is_current` is whether the metric stands today: only then the links lead to rows that are as they are counted.
    """

    metric: MetricResult
    in_force: Sequence[Entitlement]
    potential: Potential
    day: date
    is_current: bool

    @property
    def is_as_recorded(self) -> bool:
        """Whether the entitlements of that day, as they are known today, are those that the run counted."""
        owned = sum(one.purchased_rights for one in self.in_force if not one.unlimited)
        return owned == self.metric.owned and any(one.unlimited for one in self.in_force) == self.metric.unlimited


def list_equations(ground: Ground) -> list[Equation]:
    """Every figure of the metric, in the order in which they build on each other."""
    return [
        _in_use(ground),
        _used(ground),
        _owned(ground),
        _available(ground),
        _needed(ground),
        _price(ground),
        _true_up(ground),
        _over_licensed(ground),
        _potential(ground),
        _spend(ground),
    ]


def seats_url(metric: MetricResult, **filters: str) -> str:
    """The subscriptions of a metric, narrowed; empty where they are not stored any more."""
    if not metric.has_seats:
        return ""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return reverse("seat_result_list", args=[metric.pk]) + (f"?{query}" if query else "")


def _in_use(ground: Ground) -> Equation:
    metric = ground.metric
    by_right = metric.in_use - metric.allocated_in_use - metric.unlicensed
    return Equation(
        "in-use",
        "In use",
        Operand(f"{metric.in_use:,}", "in use", seats_url(metric)),
        (
            Operand(
                f"{metric.allocated_in_use:,}",
                "covered by an allocation",
                seats_url(metric, covered=Covered.ALLOCATION),
            ),
            Operand(f"{by_right:,}", "covered by a right", seats_url(metric, covered=Covered.RIGHT), "+"),
            Operand(f"{metric.unlicensed:,}", "not covered", seats_url(metric, covered=Covered.NONE), "+"),
        ),
    )


def _used(ground: Ground) -> Equation:
    metric = ground.metric
    held = reverse("held_right_list", args=[metric.pk]) if ground.is_current and metric.allocated else ""
    return Equation(
        "used",
        "Used",
        Operand(f"{metric.used:,}", "used"),
        (
            Operand(f"{metric.in_use:,}", "in use", seats_url(metric)),
            Operand(f"{metric.allocated_not_in_use:,}", "allocated, not in use", held and f"{held}?use=not", "+"),
        ),
        "An allocated right is reserved for its person, whether or not they have a subscription.",
    )


def _owned(ground: Ground) -> Equation:
    metric = ground.metric
    result = Operand(UNLIMITED if metric.unlimited else f"{metric.owned:,}", "owned", _entitlements_url(ground))
    if not ground.is_as_recorded:
        note = "The entitlements were changed after this was computed, so they are not listed here."
        return Equation("owned", "Owned", result, note=note)
    if len(ground.in_force) > MOST_TERMS:
        term = Operand(f"{len(ground.in_force):,}", "entitlements in force, added up", _entitlements_url(ground))
        return Equation("owned", "Owned", result, (term,))
    terms = [
        Operand(
            UNLIMITED if one.unlimited else f"{one.purchased_rights:,}",
            one.number,
            one.get_absolute_url(),
            "+" if place else "",
        )
        for place, one in enumerate(ground.in_force)
    ]
    return Equation("owned", "Owned", result, terms or (Operand("0", "no entitlement is in force"),))


def _entitlements_url(ground: Ground) -> str:
    model = ground.metric.model_result.software_model_id
    if not ground.is_current or model is None:
        return ""
    return f"{reverse('entitlement_list')}?state=in_use&model={model}"


def _available(ground: Ground) -> Equation:
    metric = ground.metric
    if metric.available is None:
        return Equation("available", "Available", Operand(UNLIMITED, "available"))
    terms = (Operand(f"{metric.owned:,}", "owned", "#owned"), Operand(f"{metric.used:,}", "used", "#used", "−"))
    left = f"{metric.available:,}".replace("-", "−")
    return Equation("available", "Available", Operand(left, "available"), terms)


def _needed(ground: Ground) -> Equation:
    metric = ground.metric
    result = Operand(f"{metric.needed:,}", "needed", seats_url(metric, covered=Covered.NONE) if metric.needed else "")
    if metric.available is None:
        return Equation("needed", "Needed", result, note="Unlimited rights are never short.")
    terms = (Operand(f"{metric.used:,}", "used", "#used"), Operand(f"{metric.owned:,}", "owned", "#owned", "−"))
    note = "" if metric.needed else "Never less than 0: nothing is missing."
    return Equation("needed", "Needed", result, terms, note)


def _price(ground: Ground) -> Equation:
    metric = ground.metric
    result = Operand(write_price(metric.price, metric.currency), "a right and year")
    model = metric.model_result.software_model_id
    if OVERRIDE in metric.flags:
        url = reverse("software_model_detail", args=[model]) if model else ""
        return Equation("price", "Price", result, (Operand(result.text, "override of the software model", url),))
    priced = [
        one
        for one in ground.in_force
        if one.currency == metric.currency and one.purchased_rights and yearly_cost(one) is not None
    ]
    total = sum((yearly_cost(one) or Fraction() for one in priced), Fraction())
    rights = sum(one.purchased_rights for one in priced)
    if metric.price is None or not rights or money.round_half_up(total / rights, 4) != metric.price:
        return Equation("price", "Price", result)
    cost = write_amount(money.rounded(total, metric.currency), metric.currency)
    terms = (
        Operand(cost, "a year for rights with a known cost", _entitlements_url(ground)),
        Operand(f"{rights:,}", "rights", "#owned", "÷"),
    )
    return Equation("price", "Price", result, terms)


def _true_up(ground: Ground) -> Equation:
    metric = ground.metric
    return _times_price("true-up", "True-up", metric, metric.needed, "needed", "#needed", metric.true_up)


def _over_licensed(ground: Ground) -> Equation:
    metric = ground.metric
    if metric.available is None:
        note = "What is not used of unlimited rights is not known."
        return Equation("over-licensed", "Over-licensed", Operand(UNKNOWN, "a year"), note=note)
    spare = max(0, metric.available)
    return _times_price("over-licensed", "Over-licensed", metric, spare, "left", "#available", metric.over_licensed)


def _potential(ground: Ground) -> Equation:
    metric, found = ground.metric, ground.potential
    amount = None if metric.price is None else money.rounded(metric.price * found.candidates, metric.currency)
    model = metric.model_result.software_model_id
    url = counting.url_of_candidates(model=model) if ground.is_current and model else ""
    label = "open removal candidate" if found.candidates == 1 else "open removal candidates"
    key = "potential-savings"
    return _times_price(key, "Potential savings", metric, found.candidates, label, url, amount)


def _times_price(
    key: str, title: str, metric: MetricResult, count: int, label: str, url: str, amount: Decimal | None
) -> Equation:
    result = Operand(write_amount(amount, metric.currency), "a year")
    terms = (
        Operand(f"{count:,}", label, url),
        Operand(write_price(metric.price, metric.currency), "a right", "#price", "×"),
    )
    return Equation(key, title, result, terms)


def _spend(ground: Ground) -> Equation:
    metric = ground.metric
    result = Operand(
        ", ".join(write_amounts(metric.annual_spend)) or (UNKNOWN if ground.in_force else "nothing"),
        "a year",
        _entitlements_url(ground),
    )
    known = [(one, yearly_cost(one)) for one in ground.in_force]
    costs = [(one, cost) for one, cost in known if cost is not None]
    if not ground.is_as_recorded or len(ground.in_force) > MOST_TERMS or not costs:
        return Equation("annual-spend", "Spend", result)
    terms = [
        Operand(
            words.write_money(money.rounded(cost, one.currency), one.currency),
            one.number,
            one.get_absolute_url(),
            "+" if place else "",
        )
        for place, (one, cost) in enumerate(costs)
    ]
    missing = len(known) - len(costs)
    note = f"The cost of {missing:,} more is not known." if missing else ""
    return Equation("annual-spend", "Spend", result, terms, note)

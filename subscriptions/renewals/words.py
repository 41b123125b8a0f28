"""Renewals in words: days left, the change in rights and money, and how the recommended number comes about."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from subscriptions import links
from subscriptions.entitlements.renewals import Renewal
from subscriptions.entitlements.words import UNKNOWN, write_price
from subscriptions.models import MetricResult
from subscriptions.renewals.rows import Totals

MINUS = "\N{MINUS SIGN}"


def write_days(count: int) -> str:
    """A number of days: 1 day, 30 days."""
    return f"{count:,} day{'' if count == 1 else 's'}"


def write_days_left(one: Renewal) -> str:
    """How much time there is to ask for a reduction."""
    if one.days_left < 0:
        return f"{write_days(-one.days_left)} too late"
    return f"{write_days(one.days_left)} left" if one.days_left else "today is the last day"


def write_change(change: int | None) -> str:
    """Rights more or less: −19, +4, or no change."""
    if change is None:
        return ""
    return f"{MINUS if change < 0 else '+'}{abs(change):,}" if change else "no change"


def write_signed(amount: Decimal | None, currency: str) -> str:
    """An amount more or less: −USD 3,420.00."""
    if amount is None:
        return UNKNOWN
    sign = MINUS if amount < 0 else "+" if amount else ""
    return f"{sign}{currency} {abs(amount):,}"


def list_sums(totals: Totals) -> list[str]:
    """The change in money of all renewals, each currency by itself."""
    parts = [write_signed(amount, currency) for currency, amount in sorted(totals.money.items())]
    if totals.unknown:
        parts.append(f"{totals.unknown:,} {UNKNOWN}")
    return parts


def name_sum(totals: Totals) -> str:
    """What the last row of the list adds up."""
    counted = totals.count - totals.without_advice
    return f"Sum of the {counted:,} with advice" if totals.without_advice else "Sum"


def write_advice(one: Renewal) -> str:
    """What to buy, in a sentence."""
    rights = one.entitlement.purchased_rights
    if one.recommended is None or one.change is None:
        return "No number is recommended, because an unlimited license stands beside it or is renewed."
    if not one.recommended:
        return f"Nothing has to be renewed: what is used is covered without these {rights:,} rights."
    if not one.change:
        return f"Renew all {rights:,} rights."
    fewer = f"{abs(one.change):,} {'fewer' if one.change < 0 else 'more'} than the {rights:,} of today"
    return f"Renew with {one.recommended:,} rights, {fewer}."


@dataclass(frozen=True)
class EquationLine:
    """One line of the equation: a sign, a number, what it is, and the rows behind it. None: unlimited."""

    sign: str
    number: int | None
    label: str
    url: str = ""
    note: str = ""
    is_sum: bool = False

    @property
    def shown(self) -> str:
        return "unlimited" if self.number is None else f"{self.number:,}"


def explain(one: Renewal, figures: MetricResult | None, *, headroom: int) -> list[EquationLine]:
    """How the recommended number comes about, line by line."""
    model, need = one.entitlement.software_model_id, one.need
    position = figures.get_absolute_url() if figures and hasattr(figures, "get_absolute_url") else ""
    terms = [
        EquationLine("", need.used, "used", position, "in use, and allocated without being in use"),
        EquationLine(
            "+",
            need.excluded,
            "excluded, but billed",
            links.list_url(model=model, seats=links.EXCLUDED, license=links.BILLED),
        ),
        EquationLine(MINUS, need.open_candidates, "open removal candidates", _candidates_url(model)),
        EquationLine("=", need.keep, "to keep", is_sum=True),
        EquationLine("+", one.target - need.keep, f"to spare: {headroom} per cent, rounded up"),
        EquationLine("=", one.target, "to own in all", is_sum=True),
    ]
    for other in one.beside:
        end = "ends on the same day, as recommended" if other.entitlement.end == one.entitlement.end else "counts then"
        name, address = other.entitlement.number, other.entitlement.get_absolute_url()
        terms.append(EquationLine(MINUS, other.rights, f"of {name}", address, end))
    if one.recommended is None:
        return terms
    return terms + _end_of_equation(one)


def _end_of_equation(one: Renewal) -> list[EquationLine]:
    left, committed = one.target - (one.others or 0), one.entitlement.minimum_rights
    note = ""
    if committed and committed > left:
        note = f"the commitment is {committed:,}, and what is left would be {left:,}"
    elif left < 0:
        note = "the others have more than enough"
    return [EquationLine("=", one.recommended, "recommended", note=note, is_sum=True)]


def _candidates_url(model: int) -> str:
    try:  # the pages of candidates belong to the app above
        return f"{reverse('candidate_list')}?{urlencode({'model': model})}"
    except NoReverseMatch:
        return ""


def write_price_of(one: Renewal) -> str:
    """What the change is worth, as a product: 19 × USD 180.00."""
    if not one.change:
        return ""
    return f"{abs(one.change):,} × {write_price(one.entitlement)} a right and year"

"""What mends a position, cheapest first: only ways that have an effect. Nothing here reads the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from samsaas.lib import money
from subscriptions.models import MetricResult, RemediationOption

Kind = RemediationOption.Kind
DAYS_A_YEAR = 365


def list_options(figures: MetricResult, day: date) -> list[RemediationOption]:
    """The options of one license metric as rows that are not stored yet. Unlimited rights need none.

    Raises `money.TooLarge`.
    """
    if figures.unlimited:
        return []
    options = [option for option in _options(figures, day) if option.rights > 0]
    for rank, option in enumerate(options, start=1):
        option.rank = rank
    return options


def _options(figures: MetricResult, day: date) -> Iterator[RemediationOption]:
    yield _costless(Kind.REMOVE_ALLOCATIONS, min(figures.needed, figures.allocated_not_in_use))
    yield _costless(Kind.RECLAIM, min(figures.needed, figures.open_candidates))
    yield RemediationOption(
        kind=Kind.PURCHASE,
        rights=figures.needed,
        cost=figures.true_up,
        currency=figures.currency,
        until=figures.ends_on,
        cost_until=cost_until(figures, day),
        affects_compliance=True,
    )
    with_user = figures.in_use - figures.without_user - figures.allocated_in_use
    creatable = min(with_user, figures.owned - figures.allocated)
    yield _costless(Kind.CREATE_ALLOCATIONS, creatable, affects_compliance=False)


def _costless(kind: str, rights: int, *, affects_compliance: bool = True) -> RemediationOption:
    return RemediationOption(kind=kind, rights=rights, cost=Decimal(0), affects_compliance=affects_compliance)


def cost_until(figures: MetricResult, day: date) -> Decimal | None:
    """What the needed rights cost from the day to the latest end of what is in force; None if that is not known."""
    if figures.price is None or figures.ends_on is None:
        return None
    days = (figures.ends_on - day).days + 1
    return money.rounded(Fraction(figures.price) * figures.needed * days / DAYS_A_YEAR, figures.currency)

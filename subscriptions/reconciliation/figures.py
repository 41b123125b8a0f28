"""The figures of one software model on one day, from its use, its rights and its price, without the database.

Money that needs a price there is none for is None: not known, and never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from subscriptions.entitlements import terms
from subscriptions.entitlements.price import Price, price_of
from subscriptions.models import ComplianceStatus, Entitlement, MetricResult, SoftwareModel
from subscriptions.reconciliation.count_use import ModelUse


@dataclass(frozen=True)
class Rights:
    """What is owned of a software model: its entitlements in force, and how many of their rights are allocated."""

    in_force: Sequence[Entitlement] = ()
    allocated: int = 0

    @property
    def owned(self) -> int:
        """The rights of the limited entitlements."""
        return sum(one.purchased_rights for one in self.in_force if not one.unlimited)

    @property
    def is_unlimited(self) -> bool:
        return any(one.unlimited for one in self.in_force)

    @property
    def free(self) -> int | None:
        """The rights beside the allocated ones; None without limit."""
        return None if self.is_unlimited else max(0, self.owned - self.allocated)


def is_in_position(use: ModelUse, rights: Rights) -> bool:
    """Whether the position says anything of the model: it has a seat that counts, or an entitlement in force."""
    return bool(use.in_use or rights.allocated or rights.in_force)


def compute(model: SoftwareModel, use: ModelUse, rights: Rights, *, excluded: int = 0) -> MetricResult:
    """The figures as a row that is not stored yet. `excluded` accounts do not count, but are billed.

    Raises `money.TooLarge`.
    """
    price = price_of(model, rights.in_force)
    idle_rights = rights.allocated - use.by_allocation
    used = use.in_use + idle_rights
    unlimited = rights.is_unlimited
    available = None if unlimited else rights.owned - used
    needed = 0 if available is None else max(0, -available)
    return MetricResult(
        status=_status(use, rights, needed),
        owned=rights.owned,
        unlimited=unlimited,
        in_use=use.in_use,
        without_user=use.in_use - use.with_user,
        of_leavers=use.of_leavers,
        allocated=rights.allocated,
        allocated_in_use=use.by_allocation,
        allocated_not_in_use=idle_rights,
        not_allocated_in_use=use.in_use - use.by_allocation,
        used=used,
        available=available,
        needed=needed,
        unlicensed=use.unlicensed,
        excluded=excluded,
        price=price.amount,
        currency=price.currency,
        flags=list(price.flags),
        true_up=price.times(needed),
        over_licensed=price.times(max(0, available or 0)),
        open_candidates=use.open_candidates,
        potential_savings=price.times(use.open_candidates),
        annual_spend={code: str(amount) for code, amount in terms.annual_spend(rights.in_force).items()},
        ends_on=latest_end(rights.in_force),
    )


def price_in(figures: MetricResult) -> Price:
    """The price that the figures were computed with."""
    return Price(figures.price, figures.currency, tuple(figures.flags))


def latest_end(in_force: Iterable[Entitlement]) -> date | None:
    """The latest end of the entitlements that have one."""
    return max((one.end for one in in_force if one.end), default=None)


def _status(use: ModelUse, rights: Rights, needed: int) -> ComplianceStatus:
    if use.in_use and not rights.in_force:
        return ComplianceStatus.NOT_ENTITLED
    return ComplianceStatus.NOT_COMPLIANT if needed else ComplianceStatus.COMPLIANT

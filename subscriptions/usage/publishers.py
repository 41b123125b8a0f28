"""Publishers as cards or a list: the sums of their products, and the order a reader wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from subscriptions.models import ComplianceStatus, PinnedPublisher, ProductResult
from subscriptions.reconciliation import tiers
from subscriptions.usage import potential
from subscriptions.usage.potential import Potential
from subscriptions.usage.shown import Shown

SORTS = {
    "name": "Name",
    "status": "Out of compliance first",
    "true_up": "True-up",
    "over_licensed": "Over-licensed",
    "potential": "Potential savings",
    "spend": "Spend a year",
}
LONGEST_NAME = 120


@dataclass(frozen=True)
class Publisher:
    """A publisher with the sums of its products, as `tiers.sum_products` makes them."""

    name: str
    sums: Mapping[str, Any]
    potential: Potential
    is_pinned: bool
    without_entitlement: int  # of its products
    query: str

    @property
    def url(self) -> str:
        return publisher_url(self.name, self.query)

    @property
    def status(self) -> str:
        """Its status as a tier: compliant or not. Products say why not."""
        return str(self.sums["status"])

    @property
    def is_compliant(self) -> bool:
        return self.status == ComplianceStatus.COMPLIANT

    @property
    def percent(self) -> int:
        """How many of a hundred products are compliant, rounded down: 100 means all of them."""
        return int(100 * self.sums["compliant_products"] // self.sums["products"])

    @property
    def tone(self) -> str:
        """The color of its card."""
        return "good" if self.is_compliant else "bad"


def publisher_url(name: str, query: str = "") -> str:
    """The page of a publisher in the same position."""
    url = reverse("publisher_result", args=[name]) if _fits_path(name) else f"{reverse('license-usage')}{quote(name)}/"
    return f"{url}?{query}" if query else url


def _fits_path(name: str) -> bool:
    return bool(name) and "\n" not in name


def list_publishers(shown: Shown, user: User) -> list[Publisher]:
    """Every publisher of a position, by name. Four queries, however many there are."""
    pinned = set(PinnedPublisher.objects.filter(user=user).values_list("publisher", flat=True))
    live = potential.by_product() if shown.is_today else {}
    by_name: dict[str, list[ProductResult]] = {}
    for product in shown.products:
        by_name.setdefault(product.publisher, []).append(product)
    return [
        Publisher(
            name,
            tiers.sum_products(rows),
            sum_potential(rows, shown, live),
            is_pinned=name in pinned,
            without_entitlement=count_without_entitlement(rows),
            query=shown.query,
        )
        for name, rows in sorted(by_name.items(), key=lambda one: one[0].casefold())
    ]


def count_without_entitlement(products: Iterable[ProductResult]) -> int:
    """How many of these products have no entitlement in force."""
    return sum(one.status == ComplianceStatus.NOT_ENTITLED for one in products)


def sum_potential(
    products: Iterable[ProductResult], shown: Shown, live: Mapping[tuple[str, str], Potential]
) -> Potential:
    """The potential savings of products: as of now, or as their run has stored them."""
    total = Potential()
    for one in products:
        if shown.is_today:
            total.add(live.get((one.publisher, one.product), Potential()))
        else:
            total.add(Potential(amounts=one.potential_savings))
    return total


def list_currencies(found: Iterable[Publisher]) -> list[str]:
    """Every currency in the amounts of these publishers."""
    names = ("annual_spend", "true_up", "over_licensed")
    of_sums = (one.sums[name] for one in found for name in names)
    of_candidates = (one.potential.amounts for one in found)
    return sorted({currency for amounts in (*of_sums, *of_candidates) for currency in amounts})


def narrow(found: Iterable[Publisher], text: str, status: str) -> list[Publisher]:
    """Those whose name contains the text, and whose status is the one asked for."""
    text = text.strip().casefold()
    wanted = {"compliant": True, "out": False}.get(status)
    return [
        one
        for one in found
        if text in one.name.casefold()
        and (wanted is None or one.is_compliant == wanted)
        and (status != "pinned" or one.is_pinned)
    ]


def order(found: Iterable[Publisher], sort: str, currency: str) -> list[Publisher]:
    """Pinned ones first, then by the wish. Amounts are compared in one currency, and unknown ones come last."""
    keys: dict[str, Callable[[Publisher], Any]] = {
        "status": lambda one: (one.is_compliant, one.percent),
        "true_up": lambda one: -_amount(one.sums["true_up"], currency),
        "over_licensed": lambda one: -_amount(one.sums["over_licensed"], currency),
        "potential": lambda one: -_amount(one.potential.amounts, currency),
        "spend": lambda one: -_amount(one.sums["annual_spend"], currency),
    }
    by_name = sorted(found, key=lambda one: one.name.casefold())
    by_wish = sorted(by_name, key=keys[sort]) if sort in keys else by_name
    return sorted(by_wish, key=lambda one: not one.is_pinned)


def _amount(amounts: Mapping[str, str], currency: str) -> Decimal:
    return Decimal(amounts.get(currency, "-1"))


def sum_all(found: Iterable[Publisher]) -> tuple[dict[str, Any], Potential]:
    """The sums over publishers, which are those over all their products."""
    rows, total = list(found), Potential()
    sums: dict[str, Any] = {
        name: sum(one.sums[name] for one in rows)
        for name in ("products", "compliant_products", "out_of_compliance", "model_count", "unpriced", "needed")
    }
    for name in ("true_up", "over_licensed", "annual_spend"):
        sums[name] = tiers.add_amounts(one.sums[name] for one in rows)
    for one in rows:
        total.add(one.potential)
    return sums, total


@transaction.atomic
def pin(name: str, *, by: User, pinned: bool) -> bool:
    """Show a publisher first, or no longer. False for a name that no result has."""
    if not pinned:
        PinnedPublisher.objects.filter(user=by, publisher=name).delete()
        return True
    if len(name) > LONGEST_NAME or not ProductResult.objects.filter(publisher=name).exists():
        return False
    PinnedPublisher.objects.get_or_create(user=by, publisher=name)
    return True

"""Publishers as cards: the sums of their products as of today, and which of them an account has pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from subscriptions.models import ComplianceStatus, PinnedPublisher, ProductResult
from subscriptions.reconciliation import tiers

ALL, OUT, PINNED = "all", "out", "pinned"
TABS = {ALL: "All Publishers", OUT: "Publishers Out of Compliance", PINNED: "Pinned Publishers"}


@dataclass(frozen=True)
class PublisherCard:
    """A publisher, the sums of its products as `tiers.sum_products` makes them, and whether it is pinned."""

    name: str
    sums: dict[str, Any]
    is_pinned: bool

    @property
    def is_compliant(self) -> bool:
        return bool(self.sums["status"] == ComplianceStatus.COMPLIANT)

    @property
    def percent(self) -> int:
        """How many of a hundred products are compliant, rounded down: 100 means all of them."""
        return int(100 * self.sums["compliant_products"] // self.sums["products"])


def list_cards(user: User, tab: str) -> list[PublisherCard]:
    """The publishers of a tab, pinned ones first, then by name. Two queries, however many there are."""
    pinned = set(PinnedPublisher.objects.filter(user=user).values_list("publisher", flat=True))
    by_name: dict[str, list[ProductResult]] = {}
    for product in ProductResult.objects.current():
        by_name.setdefault(product.publisher, []).append(product)
    cards = [PublisherCard(name, tiers.sum_products(rows), name in pinned) for name, rows in by_name.items()]
    shown = (one for one in cards if tab == ALL or (tab == OUT and not one.is_compliant) or _is_pinned(one, tab))
    return sorted(shown, key=lambda one: (not one.is_pinned, one.name.casefold()))


def _is_pinned(card: PublisherCard, tab: str) -> bool:
    return tab == PINNED and card.is_pinned


def pin(name: str, *, by: User, pinned: bool) -> bool:
    """Show a publisher first, or no longer. False for a name that no result has."""
    if not pinned:
        PinnedPublisher.objects.filter(user=by, publisher=name).delete()
        return True
    if not ProductResult.objects.current().filter(publisher=name).exists():
        return False
    PinnedPublisher.objects.get_or_create(user=by, publisher=name)
    return True

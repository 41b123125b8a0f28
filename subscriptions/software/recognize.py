"""From the vendor's seat types to software models; both are created when the first seat of a type is seen."""

from __future__ import annotations

from collections.abc import Iterable

from profiles import connectors
from profiles.connectors import base
from subscriptions.models import SoftwareModel, SubscriptionIdentifier


def run(vendor: base.Vendor, identifiers: Iterable[str]) -> list[SubscriptionIdentifier]:
    """Make sure each identifier has its row, and a known one its software model. Returns the rows, sorted.

    A model an administrator chose stays; an identifier that became known since it was first seen gets its model.
    """
    wanted = set(identifiers)
    known = {kind.identifier: kind for kind in vendor.seat_types}
    rows = SubscriptionIdentifier.objects.filter(vendor=vendor.key, identifier__in=wanted)
    settled = set(rows.filter(software_model__isnull=False).values_list("identifier", flat=True))
    for identifier in sorted((wanted & known.keys()) - settled):
        SubscriptionIdentifier.objects.update_or_create(
            vendor=vendor.key, identifier=identifier, defaults={"software_model": _model_for(known[identifier])}
        )
    SubscriptionIdentifier.objects.bulk_create(
        [SubscriptionIdentifier(vendor=vendor.key, identifier=unknown) for unknown in wanted - known.keys() - settled],
        ignore_conflicts=True,
    )
    return list(rows.order_by("identifier"))


def known_as(identifier: SubscriptionIdentifier) -> str:
    """The software model the vendor's own table names for it, in words; empty where the table does not know it."""
    kinds = {kind.identifier: kind for kind in connectors.vendor(identifier.vendor).seat_types}
    kind = kinds.get(identifier.identifier)
    return str(SoftwareModel(publisher=kind.publisher, product=kind.product, edition=kind.edition)) if kind else ""


def is_vendors_own(model: SoftwareModel) -> bool:
    """Whether a vendor's table names it: it is found by its words, so they stay."""
    words = tuple(part.casefold() for part in model.parts)
    kinds = (kind for vendor in connectors.vendors().values() for kind in vendor.seat_types)
    return any(words == tuple(map(str.casefold, (kind.publisher, kind.product, kind.edition))) for kind in kinds)


def _model_for(kind: base.SeatType) -> SoftwareModel:
    return SoftwareModel.objects.find_or_make(kind.publisher, kind.product, kind.edition)

"""Turn the vendor's seat types into identifiers and software models, when a download first lists a seat of the type."""

from __future__ import annotations

from collections.abc import Iterable

from profiles import connectors
from profiles.connectors import base
from subscriptions.models import SoftwareModel, SubscriptionIdentifier


def run(vendor: base.Vendor, identifiers: Iterable[str]) -> list[SubscriptionIdentifier]:
    """Create missing identifiers, and software models for those in the vendor's table. Returns the rows, sorted.

    A model that an administrator has chosen stays. An identifier that is new in the vendor's table gets its model.
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
    """The name of the software model in the vendor's table; empty if the table does not have the identifier."""
    kinds = {kind.identifier: kind for kind in connectors.vendor(identifier.vendor).seat_types}
    kind = kinds.get(identifier.identifier)
    return str(SoftwareModel(publisher=kind.publisher, product=kind.product, edition=kind.edition)) if kind else ""


def is_vendors_own(model: SoftwareModel) -> bool:
    """Whether a vendor's table has this name. Downloads find the model by its name, so it must not change."""
    words = tuple(part.casefold() for part in model.parts)
    kinds = (kind for vendor in connectors.vendors().values() for kind in vendor.seat_types)
    return any(words == tuple(map(str.casefold, (kind.publisher, kind.product, kind.edition))) for kind in kinds)


def _model_for(kind: base.SeatType) -> SoftwareModel:
    return SoftwareModel.objects.find_or_make(kind.publisher, kind.product, kind.edition)

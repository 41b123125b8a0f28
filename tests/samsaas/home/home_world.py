"""What tests of home own: entitlements that count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from subscriptions.models import Entitlement, SoftwareModel


def own(model: SoftwareModel, rights: int, **fields: Any) -> Entitlement:
    """Rights of a software model that are in force, for EUR 100 a right and year unless it says otherwise."""
    start = timezone.localdate() - timedelta(days=100)
    money: dict[str, Any] = {} if fields.get("unlimited") else {"unit_cost": 100, "currency": "EUR"}
    values = {"state": "in_use", "start": start, "purchased_rights": rights, **money, **fields}
    return Entitlement.objects.create(software_model=model, **values)

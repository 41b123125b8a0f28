"""Change how a software model is managed: whether its licence is under management, and what a seat of it costs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit
from subscriptions.models import SoftwareModel

FIELDS = ("under_management", "cost_override", "currency")


@transaction.atomic
def run(model: SoftwareModel, *, by: User) -> bool:
    """Store the model's management fields. Returns whether anything was different; only then there is an audit line."""
    before = SoftwareModel.objects.select_for_update().get(pk=model.pk)
    changes: dict[str, Any] = {
        name: {"before": _plain(getattr(before, name)), "after": _plain(getattr(model, name))}
        for name in FIELDS
        if getattr(before, name) != getattr(model, name)
    }
    if changes:
        model.save(update_fields=[*FIELDS])
        audit.record(by, "changed software model", model, **changes)
    return bool(changes)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool) else "" if value is None else str(value)

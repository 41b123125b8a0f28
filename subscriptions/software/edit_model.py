"""Change a software model: whether it is under management, its cost, its name. Or delete one that is not used."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import CASCADE

from samsaas import audit
from subscriptions.models import SoftwareModel

FIELDS = (*SoftwareModel.PARTS, "under_management", "cost_override", "currency")


@transaction.atomic
def run(model: SoftwareModel, *, by: User) -> bool:
    """Store the model's fields. Returns whether anything changed; only then is there an audit line."""
    before = SoftwareModel.objects.select_for_update().get(pk=model.pk)
    changes: dict[str, Any] = {
        name: {"before": _audit_value(getattr(before, name)), "after": _audit_value(getattr(model, name))}
        for name in FIELDS
        if getattr(before, name) != getattr(model, name)
    }
    if changes:
        model.save(update_fields=[*FIELDS])
        audit.record(by, "changed software model", model, **changes)
    return bool(changes)


@transaction.atomic
def delete(model: SoftwareModel, *, by: User) -> bool:
    """Delete a model that nothing refers to. False if something does, perhaps only since the page was opened."""
    locked = SoftwareModel.objects.select_for_update().get(pk=model.pk)
    if not is_empty(locked):
        return False
    audit.record(by, "deleted software model", locked, **{name: _audit_value(getattr(locked, name)) for name in FIELDS})
    locked.delete()
    return True


def is_empty(model: SoftwareModel) -> bool:
    """Whether nothing refers to the model: no subscription identifier, and so no seat, and no row of another app.

    What is deleted with the model, such as its reclamation rule, does not count.
    """
    relations = [one for one in SoftwareModel._meta.related_objects if one.on_delete is not CASCADE]
    return not any(one.related_model._base_manager.filter(**{one.field.name: model}).exists() for one in relations)


def _audit_value(value: Any) -> Any:
    return value if isinstance(value, bool) else "" if value is None else str(value)

"""Which alias a profile resolves its connection through."""

from __future__ import annotations

import re
from typing import Any

from django.db.models.functions import Lower

from profiles import connectors
from profiles.models import ConnectionAlias


def ensure_parents(**kwargs: Any) -> None:
    """A parent alias for every vendor of the registry; called after every migrate."""
    for key, vendor in connectors.vendors().items():
        ConnectionAlias.objects.get_or_create(vendor=key, parent=None, defaults={"name": vendor.alias_name})


def free_alias(vendor: str, display_name: str) -> ConnectionAlias:
    """The parent while no profile uses it, else a new child of it named after the profile."""
    parent = ConnectionAlias.objects.get(vendor=vendor, parent=None)
    if not hasattr(parent, "profile"):
        return parent
    return ConnectionAlias.objects.create(name=_free_name(parent.name, display_name), vendor=vendor, parent=parent)


def _free_name(parent_name: str, display_name: str) -> str:
    stem = f"{parent_name}_{re.sub(r'[^0-9A-Za-z]+', '_', display_name).strip('_') or 'child'}"[:70]
    taken = set(
        ConnectionAlias.objects.annotate(lower=Lower("name"))
        .filter(lower__startswith=stem.lower())
        .values_list("lower", flat=True)
    )
    names = [stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name.lower() not in taken)

"""Which alias a profile resolves its connection through."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from profiles import connectors
from profiles.models import ConnectionAlias, IntegrationProfile

NEW = "new"


class Taken(Exception):
    """Another profile has taken this alias in the meantime."""


def ensure_parents(**kwargs: Any) -> None:
    """A parent alias for every vendor of the registry; called after every migrate."""
    for key, vendor in connectors.vendors().items():
        ConnectionAlias.objects.get_or_create(vendor=key, parent=None, defaults={"name": vendor.alias_name})


def free_aliases(vendor: str) -> QuerySet[ConnectionAlias]:
    """The aliases of a vendor that no profile uses, the parent first."""
    found = ConnectionAlias.objects.filter(vendor=vendor, profile=None).select_related("parent")
    return found.order_by(F("parent").asc(nulls_first=True), "name")


@transaction.atomic
def take(vendor: str, choice: str, *, display_name: str, child_name: str = "") -> ConnectionAlias:
    """Return the alias for a profile.

    `choice` is "" for an automatic one, `NEW` for a new child, or the key of a free alias. Raises `Taken` when another
    profile took that alias first.
    """
    if not choice:
        return free_alias(vendor, display_name)
    if choice == NEW:
        return _new_child(_lock_parent(vendor), child_name or display_name, exactly=bool(child_name))
    found = ConnectionAlias.objects.select_for_update(of=("self",)).filter(vendor=vendor, pk=choice).first()
    if found is None or _in_use(found):
        raise Taken
    return found


@transaction.atomic
def free_alias(vendor: str, display_name: str) -> ConnectionAlias:
    """The vendor's parent alias if no profile uses it, otherwise a new child of it named after the profile."""
    parent = _lock_parent(vendor)
    return _new_child(parent, display_name) if _in_use(parent) else parent


def _lock_parent(vendor: str) -> ConnectionAlias:
    """The vendor's parent alias, locked so that two profiles created at once cannot both find it free."""
    return ConnectionAlias.objects.select_for_update(of=("self",)).get(vendor=vendor, parent=None)


def _in_use(alias: ConnectionAlias) -> bool:
    return IntegrationProfile.objects.filter(alias=alias).exists()


def _new_child(parent: ConnectionAlias, wanted: str, *, exactly: bool = False) -> ConnectionAlias:
    name = wanted if exactly else _free_name(parent.name, wanted)
    return ConnectionAlias.objects.create(name=name, vendor=parent.vendor, parent=parent)


def _free_name(parent_name: str, display_name: str) -> str:
    stem = f"{parent_name}_{re.sub(r'[^0-9A-Za-z]+', '_', display_name).strip('_') or 'child'}"[:70]
    taken = set(
        ConnectionAlias.objects.annotate(lower=Lower("name"))
        .filter(lower__startswith=stem.lower())
        .values_list("lower", flat=True)
    )
    names = [stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name.lower() not in taken)

"""Create, change and delete aliases: their settings and their credentials.

1. A child holds its own client ids, secrets and tokens. A setting it leaves empty is inherited from its parent.
2. An empty secret leaves the stored one as it is. Another client id drops the tokens of the old one, and the profile
   that uses the alias has to be authorized again.
3. A change is refused when somebody else changed the alias, or its profile's clients, since the form was opened.
4. Only a child that no profile uses can be deleted; its credentials are deleted with it.
5. The audit trail says which settings changed. Of a secret it says only that it changed.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles.connection.credentials import save_clients
from profiles.models import ConnectionAlias, IntegrationProfile
from samsaas import audit
from samsaas.lib import edits


class InUse(Exception):
    """The alias cannot be deleted: a profile uses it, or it is a parent."""


@transaction.atomic
def create(parent: ConnectionAlias, data: dict[str, Any], *, by: User) -> ConnectionAlias:
    """Create a child of a parent alias, with the client ids and secrets that were entered, if any."""
    alias = ConnectionAlias.objects.create(
        vendor=parent.vendor,
        parent=parent,
        name=data["name"],
        **{field: data[field] for field in ConnectionAlias.SETTINGS},
    )
    own = {field: str(data[field]) for field in ConnectionAlias.SETTINGS if data[field] not in (None, "")}
    audit.record(by, "created child alias", alias, parent=parent.name, own=own, credentials=save_clients(alias, data))
    return alias


@transaction.atomic
def change(alias_id: int, data: dict[str, Any], *, by: User) -> ConnectionAlias:
    """Store changes; settings take effect with the next run. Raises `edits.EditConflict` without writing anything."""
    alias = ConnectionAlias.objects.select_for_update(of=("self",)).get(pk=alias_id)
    edits.refuse_stale(data.get("version"), alias.version)
    fields = [field for field in ("name", *ConnectionAlias.SETTINGS) if field in data]
    changes = edits.set_changed(alias, data, fields, empty="inherited")
    alias.version += 1
    alias.save()
    clients = save_clients(alias, data)
    if changes or clients:
        audit.record(by, "changed alias", alias, before=changes.before, after=changes.after, credentials=clients)
    return alias


@transaction.atomic
def change_limits(alias_id: int, data: dict[str, Any], *, by: User) -> ConnectionAlias:
    """Store how many removals a team of this alias allows. They count from the next removal on."""
    alias = ConnectionAlias.objects.select_for_update(of=("self",)).get(pk=alias_id)
    changes = edits.set_changed(alias, data, ConnectionAlias.LIMITS, empty="inherited")
    if changes:
        alias.version += 1
        alias.save()
        audit.record(by, "changed removal limits", alias, before=changes.before, after=changes.after)
    return alias


@transaction.atomic
def delete(alias_id: int, *, by: User) -> None:
    """Delete an unused child with its credentials. Raises `InUse`."""
    alias = ConnectionAlias.objects.select_for_update(of=("self",)).get(pk=alias_id)
    if not can_delete(alias):
        raise InUse
    audit.record(by, "deleted alias", alias, credentials=list(alias.credentials.values_list("purpose", flat=True)))
    alias.delete()


def can_delete(alias: ConnectionAlias) -> bool:
    """Whether it is a child without a profile."""
    return alias.parent_id is not None and not IntegrationProfile.objects.filter(alias=alias).exists()

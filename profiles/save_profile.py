"""Create or change an integration profile together with its credentials.

1. A new profile takes a free alias of its vendor: the parent, or a new child when the parent is in use.
2. Client ids and secrets go to the alias's credentials; an empty secret leaves the stored one as it is.
3. A process switched on or off takes the profile back to Draft: it has to be validated again.
4. A change is refused when somebody else changed the profile since the form was opened.
5. The audit trail says which fields changed; a secret reads "changed".
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles import aliases, connections, validate
from profiles.connectors import base
from profiles.models import IntegrationProfile
from samsaas import audit

FIELDS = ("display_name", "analyze_activity_from", "pull_activity", "reclaim")


class EditConflict(Exception):
    """Somebody else saved the profile after this form was opened."""


@transaction.atomic
def create(vendor: str, data: dict[str, Any], *, by: User) -> IntegrationProfile:
    """A Draft profile with its credentials."""
    profile = IntegrationProfile.objects.create(
        vendor=vendor,
        alias=aliases.free_alias(vendor, data["display_name"]),
        created_by=by,
        **{field: data[field] for field in FIELDS},
    )
    _save_clients(profile, data)
    audit.record(by, "created profile", profile, alias=profile.alias.name, vendor=vendor)
    return profile


@transaction.atomic
def change(profile_id: int, data: dict[str, Any], *, by: User) -> IntegrationProfile:
    """Store changes. Raises `EditConflict`; nothing is written then."""
    profile = IntegrationProfile.objects.select_for_update(of=("self",)).select_related("alias").get(pk=profile_id)
    if data.get("version") != profile.version:
        raise EditConflict
    changed = {field: data[field] for field in FIELDS if getattr(profile, field) != data[field]}
    before = {field: str(getattr(profile, field)) for field in changed}
    for field, value in changed.items():
        setattr(profile, field, value)
    if {"pull_activity", "reclaim"} & changed.keys():
        validate.withdraw(profile)
    profile.version += 1
    profile.save()
    clients = _save_clients(profile, data)
    after = {field: str(value) for field, value in changed.items()}
    audit.record(by, "changed profile", profile, before=before, after=after, credentials=clients)
    return profile


def _save_clients(profile: IntegrationProfile, data: dict[str, Any]) -> list[str]:
    """The purposes whose client changed. An emptied reclamation client means: one app serves both again."""
    changed = []
    if connections.save_client(profile.alias, base.SUBSCRIPTIONS, data["client_id"], data["client_secret"]):
        changed.append(base.SUBSCRIPTIONS)
        _ask_again(profile)
    if data["reclamation_client_id"]:
        second = (data["reclamation_client_id"], data["reclamation_client_secret"])
        if connections.save_client(profile.alias, base.RECLAMATION, *second):
            changed.append(base.RECLAMATION)
    elif profile.alias.credentials.filter(purpose=base.RECLAMATION).delete()[0]:
        changed.append(f"{base.RECLAMATION} removed")
    return changed


def _ask_again(profile: IntegrationProfile) -> None:
    """A published profile whose app changed has no grant any more."""
    connected = profile.alias.credentials.filter(purpose=base.SUBSCRIPTIONS, state="connected").exists()
    if profile.status == IntegrationProfile.Status.PUBLISHED and not connected:
        profile.attention = IntegrationProfile.Attention.NEEDS_AUTHORISATION
        profile.save(update_fields=["attention"])

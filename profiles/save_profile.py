"""Create or change an integration profile together with its credentials.

1. A new profile takes the chosen alias. Without a choice it takes the parent alias, or a new child when that is in use.
2. Client ids and secrets go to the alias's credentials. An empty secret leaves the stored one as it is.
3. Another alias, or a process switched on or off, returns the profile to Draft until it is validated again. Through
   another alias it has to be authorized first, unless that alias already has a token for the same team.
4. A change is refused when somebody else changed the profile since the form was opened.
5. The audit trail says which fields changed. Of a secret it says only that it changed.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles import validate
from profiles.aliases import choose as aliases
from profiles.connection import credentials
from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import ConnectionAlias, Credential, IntegrationProfile
from samsaas import audit
from samsaas.lib import edits

FIELDS = ("display_name", "analyze_activity_from", "pull_activity", "reclaim")
SWITCHES = {base.ACTIVITY: "pull_activity", base.RECLAIM: "reclaim"}  # process: the field that holds its switch


@transaction.atomic
def create(vendor: str, data: dict[str, Any], *, by: User) -> IntegrationProfile:
    """A Draft profile with its credentials. Raises `aliases.Taken`."""
    profile = IntegrationProfile.objects.create(
        vendor=vendor,
        alias=_take_alias(vendor, data),
        created_by=by,
        **{field: data[field] for field in FIELDS},
    )
    credentials.save_clients(profile.alias, data)
    audit.record(by, "created profile", profile, alias=profile.alias.name, vendor=vendor)
    return profile


@transaction.atomic
def change(profile_id: int, data: dict[str, Any], *, by: User) -> IntegrationProfile:
    """Store changes. Raises `edits.EditConflict` or `aliases.Taken` without writing anything."""
    profile = IntegrationProfile.objects.select_for_update(of=("self",)).select_related("alias").get(pk=profile_id)
    edits.refuse_stale(data.get("version"), profile.version)
    changes = edits.set_changed(profile, data, FIELDS)
    if set(SWITCHES.values()) & changes.after.keys():
        validate.withdraw(profile)
    if data.get("alias") not in (None, "", str(profile.alias_id)):
        old_alias = profile.alias
        _move_to_alias(profile, _take_alias(profile.vendor, data), by=by)
        changes.add("alias", old_alias.name, profile.alias.name)
    profile.version += 1
    profile.save()
    clients = credentials.save_clients(profile.alias, data)
    audit.record(by, "changed profile", profile, before=changes.before, after=changes.after, credentials=clients)
    return profile


@transaction.atomic
def switch(profile_id: int, process: str, *, on: bool, by: User) -> bool:
    """Switch one process on or off, as the form does; whether that was a change."""
    profile = IntegrationProfile.objects.select_for_update(of=("self",)).select_related("alias").get(pk=profile_id)
    field = SWITCHES[process]
    changes = edits.set_changed(profile, {field: on}, [field])
    if changes:
        validate.withdraw(profile)
        profile.version += 1
        profile.save()
        audit.record(by, "changed profile", profile, before=changes.before, after=changes.after)
    return bool(changes)


def _take_alias(vendor: str, data: dict[str, Any]) -> ConnectionAlias:
    return aliases.take(
        vendor, data.get("alias", ""), display_name=data["display_name"], child_name=data.get("child_name", "")
    )


def _move_to_alias(profile: IntegrationProfile, alias: ConnectionAlias, *, by: User) -> None:
    """Connect the profile through another alias: cancel its runs and drop its checks. The caller saves the profile.

    Tokens stay with their alias. Those of the new alias are kept only if they are for the team of this profile.
    """
    for run in profile.runs.active():
        queue.cancel(run, by=by)
    profile.checks.all().delete()
    profile.alias = alias
    validate.withdraw(profile)
    for credential in alias.credentials.select_for_update():
        if not profile.team_id or credential.team_id != profile.team_id:
            credentials.drop_grant(credential)
            credential.generation += 1
            credential.save()
    if profile.team_id:
        profile.attention = _attention_for(alias)


def _attention_for(alias: ConnectionAlias) -> IntegrationProfile.Attention:
    connected = alias.credentials.filter(purpose=base.SUBSCRIPTIONS, state=Credential.State.CONNECTED).exists()
    return IntegrationProfile.Attention.NONE if connected else IntegrationProfile.Attention.NEEDS_AUTHORIZATION

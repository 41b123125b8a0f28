"""Store a grant (tokens, team, authorizing admin, scopes) in one transaction, or remove it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from profiles.connection import credentials, endpoints, refresh_token
from profiles.connectors import base, tokens
from profiles.jobs import queue
from profiles.models import Credential, IntegrationProfile, JobRun, OAuthState
from profiles.models.run import VALIDATE
from samsaas import audit
from samsaas.lib import sql
from samsaas.lib.encryption import UndecryptableValue


@dataclass(frozen=True)
class Identity:
    """Whom a token belongs to. `None` where the granted scopes do not allow us to ask."""

    team: base.Team | None
    admin: base.Admin | None


class FixedToken:
    """A `base.TokenSource` for a token that is not stored yet: it cannot be renewed."""

    def __init__(self, token: str) -> None:
        self.token = token

    def access_token(self) -> str:
        return self.token

    def renew(self, stale: str) -> str:
        raise base.Reconnect("The vendor called its new token expired at once.")


def identify(connector: base.Connector) -> Identity:
    """Ask the vendor for the team and the authorizing admin of a token.

    What a missing scope hides stays `None`. Raises any other `base.ConnectorError`.
    """
    team = admin = None
    try:
        team = connector.team()
        admin = connector.admin()
    except base.MissingScope:
        pass
    return Identity(team=team, admin=admin)


class CredentialChanged(Exception):
    """Somebody changed the client id or secret after the consent began; nothing was stored."""


@transaction.atomic
@sensitive_variables()
def store(attempt: OAuthState, grant: tokens.Grant, identity: Identity, *, user: User, now: datetime) -> None:
    """Store a grant on the credential, and its team on the profile; then start to validate the connection.

    A new token also replaces the authorizing admin. Raises `CredentialChanged` when somebody saved another client id
    or secret after the consent began.
    """
    profile = IntegrationProfile.objects.select_for_update().get(pk=attempt.profile_id)
    credential = Credential.objects.select_for_update().get(alias=profile.alias_id, purpose=attempt.purpose)
    if credential.client_changed_at >= attempt.created_at:
        raise CredentialChanged
    _fill_credential(credential, grant, identity, user=user, now=now)
    credential.save()
    if attempt.purpose == base.SUBSCRIPTIONS:
        _settle_team(profile, credential)
    _settle_status(profile, by=user)


@sensitive_variables()
def _fill_credential(
    credential: Credential, grant: tokens.Grant, identity: Identity, *, user: User, now: datetime
) -> None:
    credential.state = Credential.State.CONNECTED
    credential.state_reason = ""
    credential.access_token = grant.access_token
    credential.refresh_token = grant.refresh_token
    credential.expires_at = now + timedelta(seconds=grant.expires_in or refresh_token.UNSTATED_SECONDS)
    credential.granted_scopes = sorted(grant.scopes or ())
    credential.team_id = grant.team_id
    credential.team_name = identity.team.name if identity.team else ""
    credential.admin_external_id = identity.admin.external_id if identity.admin else ""
    credential.admin_email = identity.admin.email if identity.admin else ""
    credential.admin_name = identity.admin.display_name if identity.admin else ""
    credential.authorized_at = now
    credential.authorized_by = user
    credential.generation += 1
    credential.lease_owner, credential.lease_until = "", None


def _settle_team(profile: IntegrationProfile, credential: Credential) -> None:
    """Set the profile's team, and drop a separate reclamation grant that belongs to another team."""
    if profile.team_id != credential.team_id:
        profile.team_since = sql.database_now()
    profile.team_id, profile.team_name = credential.team_id, credential.team_name
    others = profile.alias.credentials.filter(purpose=base.RECLAMATION).exclude(team_id=profile.team_id)
    for other in others.select_for_update():
        credentials.drop_grant(other)
        other.save()


def _settle_status(profile: IntegrationProfile, *, by: User) -> None:
    """Clear *needs authorization* and start the validation. A separate reclamation app is authorized before that."""
    profile.alias.refresh_from_db()
    first = profile.status == IntegrationProfile.Status.DRAFT
    if profile.attention == IntegrationProfile.Attention.NEEDS_AUTHORIZATION:
        profile.attention = IntegrationProfile.Attention.NONE
    profile.save()
    if not _waits_for_reclamation(profile):
        trigger = JobRun.Trigger.FIRST if first else JobRun.Trigger.MANUAL
        queue.request(queue.Request(VALIDATE, trigger, profile=profile, by=by))


def _waits_for_reclamation(profile: IntegrationProfile) -> bool:
    others = profile.alias.credentials.filter(purpose=base.RECLAMATION)
    return profile.reclaim and others.exclude(state=Credential.State.CONNECTED).exists()


def disconnect(profile: IntegrationProfile, *, by: User) -> bool:
    """Delete the stored tokens. We also ask the vendor to revoke them, and delete them whatever it answers.

    False if a token could not be decrypted, so that the vendor could not be asked.
    """
    revoked = []
    for credential in profile.alias.credentials.all():
        if answer := _revoke_token(profile, credential):
            revoked.append({"purpose": credential.purpose, **answer})
        _drop_grant(credential)
    IntegrationProfile.objects.filter(pk=profile.pk).update(
        attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION, status=IntegrationProfile.Status.DRAFT
    )
    audit.record(by, "disconnected", profile, revoked=revoked)
    return not any(answer.get("unreadable") for answer in revoked)


@sensitive_variables()
def _revoke_token(profile: IntegrationProfile, credential: Credential) -> dict[str, Any]:
    """How the vendor answered, for the audit trail; empty without a token."""
    try:
        token = credential.access_token
    except UndecryptableValue:
        return {"vendor_confirmed": False, "unreadable": True}
    confirmed = bool(token) and tokens.revoke(endpoints.for_vendor(profile.vendor), token)
    return {"vendor_confirmed": confirmed} if token else {}


@transaction.atomic
def _drop_grant(credential: Credential) -> None:
    fresh = Credential.objects.select_for_update().get(pk=credential.pk)
    credentials.drop_grant(fresh)
    fresh.generation += 1
    fresh.save()

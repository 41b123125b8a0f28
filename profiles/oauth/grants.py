"""Store a grant (tokens, team, authorizing admin, scopes) in one transaction, or remove it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
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

OTHER_TEAM = "The token answer and the team answer of the vendor name different teams."
LEAST_SECONDS = 0.2  # with less time than this a call is not begun


@dataclass(frozen=True)
class Identity:
    """Whom a token belongs to. `None` where the granted scopes do not allow us to ask.

    `unanswered`: the vendor could be asked and did not answer in time; the validation asks again.
    """

    team: base.Team | None
    admin: base.Admin | None
    unanswered: bool = False


class FixedToken:
    """A `base.TokenSource` for a token that is not stored yet: it cannot be renewed."""

    def __init__(self, grant: tokens.Grant, client_secret: str) -> None:
        self._grant, self._client_secret = grant, client_secret

    def access_token(self) -> str:
        return self._grant.access_token

    def secrets(self) -> tuple[str, ...]:
        return (self._client_secret, self._grant.refresh_token)

    def renew(self, stale: str) -> str:
        raise base.Reconnect("The vendor refused its new token at once.")


def identify(open_for: Callable[[float], base.Connector], ends: float) -> Identity:
    """Ask the vendor for the team and the authorizing admin of a token, until `ends` on the monotonic clock.

    `open_for(seconds)` gives a connector for one call. What a missing scope hides stays `None`; so does what the vendor
    does not answer now. Raises any other `base.ConnectorError`.
    """
    team = admin = None
    try:
        team = open_for(_seconds_until(ends)).team()
        admin = open_for(_seconds_until(ends)).admin()
    except base.MissingScope:
        pass
    except (base.TryLater, base.Throttled, base.UnreadableAnswer):
        return Identity(team=team, admin=admin, unanswered=True)
    return Identity(team=team, admin=admin)


def _seconds_until(ends: float) -> float:
    left = ends - time.monotonic()
    if left < LEAST_SECONDS:
        raise base.TryLater("The time for this page is over.")
    return left


def complete_identity(profile: IntegrationProfile, purpose: str, connector: base.Connector) -> None:
    """Ask again whom a stored grant belongs to, where the vendor did not answer while a browser waited.

    Raises Reconnect for another team than that of the grant; the grant is given up then.
    """
    credential = credentials.credential_for(profile, purpose)
    if credential.admin_external_id or not credential.is_connected:
        return
    identity = identify(lambda seconds: connector, math.inf)
    if identity.team and identity.team.team_id != credential.team_id:
        refresh_token.give_up(credential, reason=OTHER_TEAM)
        raise base.Reconnect(OTHER_TEAM)
    known = {column: value for column, value in _identity_columns(identity).items() if value}
    same_grant = Credential.objects.filter(pk=credential.pk, authorized_at=credential.authorized_at)
    if known and same_grant.update(**known) and credential.purpose == base.SUBSCRIPTIONS and "team_name" in known:
        IntegrationProfile.objects.filter(pk=profile.pk, team_id=credential.team_id).update(
            team_name=known["team_name"]
        )


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
    for column, value in _identity_columns(identity).items():
        setattr(credential, column, value)
    credential.authorized_at = now
    credential.authorized_by = user
    credential.generation += 1
    credential.lease_owner, credential.lease_until = "", None


def _identity_columns(identity: Identity) -> dict[str, str]:
    """What a credential stores of its team and its admin; empty where nobody said."""
    admin = identity.admin
    return {
        "team_name": identity.team.name if identity.team else "",
        "admin_external_id": admin.external_id if admin else "",
        "admin_email": admin.email if admin else "",
        "admin_name": admin.display_name if admin else "",
    }


def _settle_team(profile: IntegrationProfile, credential: Credential) -> None:
    """Set the profile's team, and drop a separate reclamation grant that belongs to another team."""
    if profile.team_id != credential.team_id:
        profile.team_since = sql.database_now()
    known = profile.team_name if profile.team_id == credential.team_id else ""
    profile.team_id, profile.team_name = credential.team_id, credential.team_name or known
    others = profile.alias.credentials.filter(purpose=base.RECLAMATION).exclude(team_id=profile.team_id)
    for other in others.select_for_update():
        credentials.drop_grant(other)
        other.save()


def _settle_status(profile: IntegrationProfile, *, by: User) -> None:
    """Clear what was wrong with the grant and start the validation. A separate reclamation app is authorized before."""
    profile.alias.refresh_from_db()
    first = profile.status == IntegrationProfile.Status.DRAFT
    if profile.attention in refresh_token.OUTRANKING:
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

"""From a profile to a connector that can call: the alias, its credential, its tokens and the vendor's endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from profiles import connectors
from profiles.connection import endpoints, refresh_token
from profiles.connectors import base
from profiles.models import ConnectionAlias, Credential, IntegrationProfile


def credential_for(profile: IntegrationProfile, purpose: str) -> Credential:
    """The alias's credential for a purpose. Without separate reclamation credentials one app serves both."""
    held = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    return held.get(purpose) or held[base.SUBSCRIPTIONS]


class CredentialTokens:
    """A `base.TokenSource` on a credential row: refreshes ahead of time, and once more when the vendor says so."""

    def __init__(self, credential: Credential) -> None:
        self.credential_id = credential.pk

    def access_token(self) -> str:
        return refresh_token.run(self.credential_id, now=timezone.now())

    def renew(self, stale: str) -> str:
        return refresh_token.run(self.credential_id, stale=stale, now=timezone.now())


def limits_for(alias: ConnectionAlias) -> base.Limits:
    """The connector's defaults, with what the alias or its parent set."""
    names = ("page_size", "requests_per_minute", "attempts")
    chosen = {name: value for name in names if (value := alias.effective_setting(name)) is not None}
    return replace(base.Limits(), **chosen)


def open_connector(
    profile: IntegrationProfile, purpose: str, *, wait: Callable[[float, str], None] | None = None
) -> base.Connector:
    """A connector with this profile's token. Raises `Reconnect` when the credential has no usable grant."""
    credential = credential_for(profile, purpose)
    if not credential.is_connected:
        raise base.Reconnect(credential.state_reason or "No administrator has authorized this connection yet.")
    return connectors.open(
        profile.vendor,
        endpoints=endpoints.for_vendor(profile.vendor),
        client_id=credential.client_id,
        token_source=CredentialTokens(credential),
        limits=limits_for(profile.alias),
        **({"wait": wait} if wait else {}),
    )


def mark_needs_authorization(profile: IntegrationProfile, purpose: str, *, reason: str) -> None:
    """The grant is gone: nobody calls again before a person authorizes anew."""
    refresh_token.give_up(credential_for(profile, purpose), reason=reason)


@transaction.atomic
def save_client(alias: ConnectionAlias, purpose: str, client_id: str, client_secret: str) -> bool:
    """Store an app key and, where given, its secret; an empty secret means unchanged. True when anything changed.

    Another app means another grant, so a change drops the tokens of the old one.
    """
    credential = Credential.objects.select_for_update().filter(alias=alias, purpose=purpose).first()
    if credential is None:
        Credential.objects.create(
            alias=alias,
            purpose=purpose,
            client_id=client_id,
            client_secret=client_secret,
            client_changed_at=timezone.now(),
        )
        return True
    new_app = credential.client_id != client_id
    new_secret = bool(client_secret) and credential.client_secret != client_secret
    if not (new_app or new_secret):
        return False
    credential.client_id = client_id
    credential.client_secret = client_secret or credential.client_secret
    credential.client_changed_at = timezone.now()
    credential.generation += 1
    if new_app:
        drop_grant(credential)
    credential.save()
    return True


def drop_grant(credential: Credential) -> None:
    """Forget the tokens of a credential, in memory; the caller saves."""
    credential.state = Credential.State.NEW
    credential.state_reason = ""
    credential.access_token = credential.refresh_token = ""
    credential.expires_at = None
    credential.granted_scopes = []


def save_clients(alias: ConnectionAlias, data: dict[str, Any]) -> list[str]:
    """The purposes whose client changed. An emptied reclamation client means: one app serves both again."""
    changed = []
    if data["client_id"] and save_client(alias, base.SUBSCRIPTIONS, data["client_id"], data["client_secret"]):
        changed.append(base.SUBSCRIPTIONS)
        _ask_again(alias)
    if data["reclamation_client_id"]:
        second = (data["reclamation_client_id"], data["reclamation_client_secret"])
        if save_client(alias, base.RECLAMATION, *second):
            changed.append(base.RECLAMATION)
    elif alias.credentials.filter(purpose=base.RECLAMATION).delete()[0]:
        changed.append(f"{base.RECLAMATION} removed")
    if changed:  # the forms of the alias and of its profile both hold what was there before
        for holder in (ConnectionAlias.objects.filter(pk=alias.pk), IntegrationProfile.objects.filter(alias=alias)):
            holder.update(version=F("version") + 1)
    return changed


def _ask_again(alias: ConnectionAlias) -> None:
    """A published profile whose app changed has no grant any more."""
    connected = alias.credentials.filter(purpose=base.SUBSCRIPTIONS, state=Credential.State.CONNECTED).exists()
    if not connected:
        IntegrationProfile.objects.filter(alias=alias, status=IntegrationProfile.Status.PUBLISHED).update(
            attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION
        )

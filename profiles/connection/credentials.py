"""From a profile to a connector that can call: the alias, its credential, its tokens and the vendor's endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from profiles import connectors
from profiles.connection import endpoints, refresh_token
from profiles.connectors import base
from profiles.models import ConnectionAlias, Credential, IntegrationProfile
from samsaas.lib import ciphertexts
from samsaas.lib.encryption import UndecryptableValue

OTHER_APP = "The client ID was changed. The access was granted to the app with the old client ID, and ended with it."


def credential_for(profile: IntegrationProfile, purpose: str) -> Credential:
    """The alias's credential for a purpose; without a separate one for reclamation, that for subscriptions.

    Raises `KeyError` where the alias has no credential at all.
    """
    held = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    return held.get(purpose) or held[base.SUBSCRIPTIONS]


class SecretUnreadable(base.ConnectorError):
    """A stored secret cannot be decrypted. The vendor was not called, and nothing was changed."""

    remedy = (
        "Ask the operator to run manage.py doctor: the encryption key is missing, or the secret was changed in the "
        "database. Stored data and secrets stay as they are; the next run works again once the key is back."
    )


class CredentialTokens:
    """A `base.TokenSource` on a credential row.

    It refreshes ahead of time, and again when the vendor says *expired*. Raises `SecretUnreadable`.
    """

    def __init__(self, credential: Credential) -> None:
        self.credential_id = credential.pk

    def access_token(self) -> str:
        return self._refresh()

    def renew(self, stale: str) -> str:
        return self._refresh(stale)

    def _refresh(self, stale: str = "") -> str:
        try:
            return refresh_token.run(self.credential_id, stale=stale, now=timezone.now())
        except UndecryptableValue as error:
            raise SecretUnreadable(f"A stored secret cannot be used: {error}") from error

    @sensitive_variables()
    def secrets(self) -> tuple[str, ...]:
        held = Credential.objects.filter(pk=self.credential_id).first()
        try:
            return (held.client_secret, held.refresh_token) if held else ()
        except UndecryptableValue:
            return ()


def any_unreadable() -> bool:
    """Whether a secret of a credential is under a key that this installation does not have. One query."""
    try:
        return ciphertexts.any_unreadable(Credential)
    except ImproperlyConfigured:
        return True


def limits_for(alias: ConnectionAlias) -> base.Limits:
    """The connector's default limits, overridden by those the alias or its parent sets."""
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


@transaction.atomic
def save_client(alias: ConnectionAlias, purpose: str, client_id: str, client_secret: str) -> bool:
    """Store an app key and its secret; an empty secret means unchanged. True when anything changed.

    Tokens belong to one app, so another app key drops the stored ones. With another secret the stored grant goes on,
    also where the vendor refused the old secret.
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
    new_secret = bool(client_secret) and not credential.has_secret(client_secret)
    if not (new_app or new_secret):
        return False
    credential.client_id = client_id
    if client_secret:
        credential.client_secret = client_secret
    credential.client_changed_at = timezone.now()
    credential.generation += 1
    if new_app:
        drop_grant(credential, reason=OTHER_APP if credential.refresh_token else credential.state_reason)
        refresh_token.clear_refusal(credential)
    elif credential.is_connected and credential.state_reason:
        credential.state_reason = ""
        refresh_token.clear_refusal(credential)
    credential.save()
    return True


def drop_grant(credential: Credential, *, reason: str = "") -> None:
    """Clear the tokens and scopes of a credential. The caller saves. `reason` is shown until the next consent."""
    credential.state = Credential.State.NEW
    credential.state_reason = reason
    credential.access_token = credential.refresh_token = ""
    credential.expires_at = None
    credential.granted_scopes = []


def save_clients(alias: ConnectionAlias, data: dict[str, Any]) -> list[str]:
    """Store the client ids and secrets of a form and return the purposes that changed, for the audit trail.

    An emptied reclamation client id means that one app serves both purposes again.
    """
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
    if changed:  # open forms of the alias and of its profile are stale now
        for holder in (ConnectionAlias.objects.filter(pk=alias.pk), IntegrationProfile.objects.filter(alias=alias)):
            holder.update(version=F("version") + 1)
    return changed


def _ask_again(alias: ConnectionAlias) -> None:
    """Mark a published profile whose app changed: it has no grant until somebody authorizes it again."""
    connected = alias.credentials.filter(purpose=base.SUBSCRIPTIONS, state=Credential.State.CONNECTED).exists()
    if not connected:
        IntegrationProfile.objects.filter(alias=alias, status=IntegrationProfile.Status.PUBLISHED).update(
            attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION
        )

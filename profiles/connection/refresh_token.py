"""Refresh an access token ahead of time, by one caller at a time per credential.

1. A token that lasts for five more minutes is returned as it is.
2. Otherwise one caller takes the lease of the credential row, by database time. The others wait and read it again.
3. The lease's holder reads it again too, asks the vendor once, and stores the new token only if nobody changed the
   credential meanwhile.
4. When the vendor says that the grant is gone, the credential and its profile become *needs authorization*, and no job
   calls the vendor again. After every other refusal the stored tokens are kept. Where the vendor refuses the client
   secret, that is noted until another secret is saved, or the vendor accepts this one.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Now
from django.views.decorators.debug import sensitive_variables

from profiles.connection import endpoints
from profiles.connectors import base, tokens
from profiles.models import Credential, IntegrationProfile
from samsaas import audit

AHEAD_SECONDS = 300
UNSTATED_SECONDS = 3600  # assumed where the vendor does not say how long a token lasts
LEASE = timedelta(seconds=30)
PATIENCE_SECONDS = 40.0
POLL_SECONDS = 0.2
# States of a profile that the end of a run does not change: both are about its credentials.
OUTRANKING = (IntegrationProfile.Attention.NEEDS_AUTHORIZATION, IntegrationProfile.Attention.CLIENT_REFUSED)


@sensitive_variables()
def run(credential_id: int, *, now: datetime, stale: str = "") -> str:
    """Return a usable access token. `stale` is a token that the vendor has just called expired.

    Raises `Reconnect` when the grant is gone, `TryLater` when the vendor cannot be asked now, and another connector
    error when it refuses for another reason; the grant is kept then.
    """
    me = str(uuid.uuid4())
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        credential = _connected_credential(credential_id)
        if _is_usable(credential, stale, now):
            return credential.access_token
        if _take_lease(credential_id, me):
            return _refresh_held(credential_id, me, stale, now)
        if time.monotonic() > patience:
            raise base.TryLater("Another worker has been refreshing this token for too long.")
        time.sleep(POLL_SECONDS)


def _connected_credential(credential_id: int) -> Credential:
    credential = Credential.objects.filter(pk=credential_id).select_related("alias").first()
    if credential is None:
        raise base.Reconnect("The credential is gone.")
    if not credential.is_connected:
        raise base.Reconnect(credential.state_reason or "No administrator has authorized this connection yet.")
    return credential


def _is_usable(credential: Credential, stale: str, now: datetime) -> bool:
    return credential.access_token != stale and not credential.expires_within(AHEAD_SECONDS, now=now)


def _take_lease(credential_id: int, me: str) -> bool:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return bool(Credential.objects.filter(free, pk=credential_id).update(lease_owner=me, lease_until=Now() + LEASE))


@sensitive_variables()
def _refresh_held(credential_id: int, me: str, stale: str, now: datetime) -> str:
    """Refresh while holding the lease. Read the row again first: the previous holder may have refreshed the token."""
    try:
        credential = _connected_credential(credential_id)
        if _is_usable(credential, stale, now):
            return credential.access_token
        try:
            grant = tokens.refresh(
                endpoints.for_vendor(credential.alias.vendor),
                client_id=credential.client_id,
                client_secret=credential.client_secret,
                refresh_token=credential.refresh_token,
            )
        except base.Reconnect as gone:
            give_up(credential, reason=str(gone))
            raise
        except tokens.WrongClient as refusal:
            _note_refusal(credential, reason=str(refusal))
            raise
        return _store_grant(credential, grant, now)
    finally:
        Credential.objects.filter(pk=credential_id, lease_owner=me).update(lease_owner="", lease_until=None)


@sensitive_variables()
def _store_grant(credential: Credential, grant: tokens.Grant, now: datetime) -> str:
    stored = Credential.objects.filter(pk=credential.pk, generation=credential.generation).update(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or credential.refresh_token,
        expires_at=now + timedelta(seconds=grant.expires_in or UNSTATED_SECONDS),
        refreshed_at=now,
        state_reason="",
        generation=F("generation") + 1,
    )
    if not stored:
        raise base.TryLater("The credential was changed while its token was being refreshed.")
    if credential.state_reason:
        clear_refusal(credential)
    return grant.access_token


def _note_refusal(credential: Credential, *, reason: str) -> None:
    """Note on a connected credential, and on the profile of its alias, that the vendor refuses the client secret."""
    held = Credential.objects.filter(
        pk=credential.pk, generation=credential.generation, state=Credential.State.CONNECTED
    )
    if not held.update(state_reason=reason[:500]):
        return
    for profile in IntegrationProfile.objects.filter(alias=credential.alias_id):
        noted = IntegrationProfile.objects.filter(pk=profile.pk).exclude(attention__in=OUTRANKING)
        if noted.update(attention=IntegrationProfile.Attention.CLIENT_REFUSED):
            audit.record(None, "client refused", profile, purpose=credential.purpose, reason=reason[:500])


def clear_refusal(credential: Credential) -> None:
    """Take *client secret refused* from the profile, unless another credential of its alias is refused still."""
    refused = Credential.objects.filter(alias=credential.alias_id, state=Credential.State.CONNECTED)
    if not refused.exclude(pk=credential.pk).exclude(state_reason="").exists():
        profiles = IntegrationProfile.objects.filter(alias=credential.alias_id)
        profiles.filter(attention=IntegrationProfile.Attention.CLIENT_REFUSED).update(
            attention=IntegrationProfile.Attention.NONE
        )


def give_up(credential: Credential, *, reason: str) -> None:
    """Mark a connected credential, and the profile of its alias, as *needs authorization*.

    A second call does nothing.
    """
    changed = Credential.objects.filter(
        pk=credential.pk, generation=credential.generation, state=Credential.State.CONNECTED
    ).update(
        state=Credential.State.NEEDS_AUTHORIZATION,
        state_reason=reason[:500],
        access_token="",
        generation=F("generation") + 1,
    )
    if not changed:
        return
    profile = IntegrationProfile.objects.filter(alias=credential.alias_id).first()
    if profile:
        IntegrationProfile.objects.filter(pk=profile.pk).update(
            attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION
        )
        audit.record(None, "needs authorization", profile, purpose=credential.purpose, reason=reason[:500])

"""Refreshing a token: ahead of time, one at a time, and silence after a refusal."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles.connection import credentials, refresh_token
from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault
from profiles.models import Credential, IntegrationProfile

pytestmark = pytest.mark.django_db


@pytest.fixture
def credential(connected) -> Credential:
    return Credential.objects.get(alias=connected.alias_id, purpose="subscriptions")


def expire(credential: Credential, *, seconds: int = -1) -> None:
    Credential.objects.filter(pk=credential.pk).update(expires_at=timezone.now() + timedelta(seconds=seconds))


def refreshes(dropbox) -> int:
    return sum(1 for route, _ in dropbox.log if route == "oauth2/token") - 1


def test_a_good_token_is_handed_out_without_asking(credential, dropbox):
    assert refresh_token.run(credential.pk, now=timezone.now()) == credential.access_token
    assert refreshes(dropbox) == 0


def test_a_token_is_refreshed_five_minutes_ahead_and_keeps_its_refresh_token(credential, dropbox):
    expire(credential, seconds=200)
    fresh = refresh_token.run(credential.pk, now=timezone.now())
    after = Credential.objects.get(pk=credential.pk)
    assert fresh == after.access_token != credential.access_token
    assert after.refresh_token == credential.refresh_token
    assert after.expires_at > timezone.now() + timedelta(hours=3)
    assert not after.lease_owner and after.generation == credential.generation + 1


def test_a_token_the_vendor_called_expired_is_refreshed_once(credential, dropbox):
    fresh = refresh_token.run(credential.pk, stale=credential.access_token, now=timezone.now())
    assert refresh_token.run(credential.pk, stale=credential.access_token, now=timezone.now()) == fresh
    assert refreshes(dropbox) == 1


def test_a_refused_refresh_asks_for_authorization_and_stops_calling(credential, connected, dropbox):
    dropbox.store.refresh_tokens.clear()
    expire(credential)
    with pytest.raises(base.Reconnect):
        refresh_token.run(credential.pk, now=timezone.now())
    calls = len(dropbox.log)
    with pytest.raises(base.Reconnect):
        refresh_token.run(credential.pk, now=timezone.now())
    with pytest.raises(base.Reconnect):
        credentials.open_connector(IntegrationProfile.objects.get(), base.SUBSCRIPTIONS)
    assert len(dropbox.log) == calls
    connected.refresh_from_db()
    after = Credential.objects.get(pk=credential.pk)
    assert connected.attention == "needs_authorization" and after.state == "needs_authorization"
    assert after.state_reason and not after.access_token


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_never_ends_the_grant(credential, connected, dropbox, status):
    dropbox.faults.add("oauth2/token", None, Fault(status=status, body="<html>down</html>"))
    expire(credential)
    with pytest.raises((base.TryLater, base.Throttled)):
        refresh_token.run(credential.pk, now=timezone.now())
    connected.refresh_from_db()
    assert Credential.objects.get(pk=credential.pk).state == "connected" and not connected.attention
    dropbox.faults.clear()
    assert refresh_token.run(credential.pk, now=timezone.now())


def test_the_lease_of_a_dead_refresher_runs_out(credential, dropbox):
    expire(credential)
    Credential.objects.filter(pk=credential.pk).update(
        lease_owner="a dead worker", lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert refresh_token.run(credential.pk, now=timezone.now())


def test_a_credential_changed_meanwhile_is_not_overwritten(credential, dropbox, monkeypatch):
    expire(credential)
    true_refresh = refresh_token.tokens.refresh

    def slow_refresh(*arguments, **options):
        grant = true_refresh(*arguments, **options)
        Credential.objects.filter(pk=credential.pk).update(generation=99, access_token="newer")
        return grant

    monkeypatch.setattr(refresh_token.tokens, "refresh", slow_refresh)
    with pytest.raises(base.TryLater):
        refresh_token.run(credential.pk, now=timezone.now())
    assert Credential.objects.get(pk=credential.pk).access_token == "newer"

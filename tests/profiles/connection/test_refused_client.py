"""Only "the grant is gone" ends a connection; the right secret goes on with the stored access (A8, F20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connection import credentials, refresh_token
from profiles.connectors import base, tokens
from profiles.connectors.dropbox.sandbox import Fault, application
from profiles.models import Credential, IntegrationProfile, JobRun
from samsaas.models import AuditEntry
from tests import worlds
from tests.profiles.test_profile_pages import filled

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
TOKEN = "oauth2/token"
NOT_GONE: list[tuple[int, Any]] = [
    (400, {"error": "invalid_client: Invalid client_id or client_secret"}),
    (401, {"error": "invalid_client"}),
    (400, {"error": "unauthorized_client"}),
    (400, {"error": "invalid_request"}),
    (400, {"error": "invalid_scope"}),
    (400, {"error": "unsupported_grant_type"}),
    (400, {"error": "temporarily_unavailable"}),
    (400, {"error": "server_error"}),
    (400, {"error": "slow_down"}),
    (400, {"error": "a_word_of_tomorrow"}),
    (403, {"error": "invalid_grant"}),
    (503, {"error": "invalid_grant"}),
    (200, {"error": "invalid_grant"}),
    (404, "not here"),
    (302, ""),
    (407, "<html>sign in</html>"),
    (403, "This app is currently disabled."),
    (200, "<html>welcome</html>"),
    (200, {"access_token": "n\0l"}),
    (200, {"access_token": "x" * 50_000}),
    (200, {"access_token": "x", "refresh_token": "\ud800"}),
    (204, ""),
]


@pytest.fixture
def credential(connected: IntegrationProfile) -> Credential:
    """Connected, its access token run out."""
    JobRun.objects.all().delete()
    Credential.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    return Credential.objects.get(alias=connected.alias_id)


def refuse(dropbox: Any, status: int, body: Any) -> None:
    dropbox.faults.add(TOKEN, None, Fault(status=status, body=body))


def profile_of(credential: Credential) -> IntegrationProfile:
    return IntegrationProfile.objects.get(alias=credential.alias_id)


def page_of(client: Any, credential: Credential) -> str:
    return client.get(profile_of(credential).get_absolute_url()).content.decode()


def download(credential: Credential) -> JobRun:
    from profiles.jobs import start  # noqa: PLC0415 - Django is set up by now

    run, _ = start.run(profile_of(credential), base.DOWNLOAD, by=None)
    worlds.work()
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(("status", "body"), NOT_GONE)
def test_no_other_refusal_of_a_refresh_throws_anything_away(
    credential: Credential, dropbox: Any, monkeypatch: pytest.MonkeyPatch, status: int, body: Any
) -> None:
    refuse(dropbox, status, body)
    with pytest.raises(base.ConnectorError) as caught:
        refresh_token.run(credential.pk, now=timezone.now())
    assert not isinstance(caught.value, base.Reconnect)
    held = Credential.objects.get(pk=credential.pk)
    assert held.is_connected and (held.refresh_token, held.access_token) == (
        credential.refresh_token,
        credential.access_token,
    )
    assert profile_of(credential).attention != "needs_authorization"
    dropbox.faults.clear()
    assert refresh_token.run(credential.pk, now=timezone.now())
    assert not profile_of(credential).attention


def test_a_new_secret_made_in_the_console_is_all_it_takes(
    credential: Credential, dropbox: Any, integrator: Any
) -> None:
    """The vendor's secret changes, a run fails and says so, the right one is saved, and the next run works."""
    dropbox.register_app(
        application.DEMO_KEY, "the secret made anew", [], application.ALL_SCOPES, name="with another secret"
    )
    run = download(credential)
    assert (run.state, run.error_kind) == ("failed", tokens.WrongClient.__name__)
    assert "client secret is wrong" in run.error_message and "Client secret" in run.error_remedy
    assert profile_of(credential).attention == "client_refused"
    page = page_of(integrator, credential)
    assert "Client secret refused: subscriptions" in page and "without a new consent" in page
    assert "Client secret refused" in integrator.get("/integration-profiles/").content.decode()
    assert AuditEntry.objects.filter(verb="client refused").count() == 1

    version = str(profile_of(credential).version)
    form = filled(
        client_id=application.DEMO_KEY,
        client_secret="the-wrong-secret",
        version=version,
    )
    edit = f"{profile_of(credential).get_absolute_url()}edit/"
    assert integrator.post(edit, form).status_code == 302
    assert not profile_of(credential).attention
    assert "A new client secret was saved" in page_of(integrator, credential)
    assert download(credential).state == "failed" and profile_of(credential).attention == "client_refused"

    dropbox.register_app(application.DEMO_KEY, "the-right-secret", [], application.ALL_SCOPES)
    form |= {"client_secret": "the-right-secret", "version": str(profile_of(credential).version)}
    assert integrator.post(edit, form).status_code == 302
    page = page_of(integrator, credential)
    assert (
        "The client secret is wrong" not in page
        and "A new client secret was saved" in page
        and "Last refresh failed" not in page
    )
    assert download(credential).state == "succeeded"
    assert not profile_of(credential).attention and not Credential.objects.get(pk=credential.pk).state_reason
    assert [route for route, _ in dropbox.log].count("oauth2/authorize") == 1  # the first consent was enough


def test_a_secret_that_the_vendor_accepts_again_heals_by_itself(credential: Credential, dropbox: Any) -> None:
    refuse(dropbox, 400, {"error": "invalid_client"})
    assert download(credential).state == "failed"
    dropbox.faults.clear()
    assert download(credential).state == "succeeded" and not profile_of(credential).attention


def test_a_grant_that_is_gone_asks_for_a_person_and_a_new_secret_does_not_pretend(
    credential: Credential, dropbox: Any
) -> None:
    dropbox.store.refresh_tokens.clear()
    assert download(credential).error_kind == "Reconnect"
    assert profile_of(credential).attention == "needs_authorization"
    credentials.save_client(credential.alias, credential.purpose, credential.client_id, "another secret")
    assert Credential.objects.get(pk=credential.pk).state == "needs_authorization"


def test_another_client_id_is_another_app_and_the_page_says_that_the_access_ended_with_the_old_one(
    credential: Credential, integrator: Any
) -> None:
    data = {
        "client_id": "another-app",
        "client_secret": "its-secret",
        "reclamation_client_id": "",
        "reclamation_client_secret": "",
    }
    credentials.save_clients(credential.alias, data)
    held = Credential.objects.get(pk=credential.pk)
    assert not held.refresh_token and not held.is_connected
    page = page_of(integrator, credential)
    assert "The client ID was changed" in page and "Needs authorization" in page


def test_two_apps_and_one_wrong_secret_name_the_right_one(
    credential: Credential, dropbox: Any, integrator: Any
) -> None:
    second = Credential.objects.create(
        alias=credential.alias,
        purpose="reclamation",
        client_id="second",
        client_secret="secret",
        client_changed_at=timezone.now(),
        state="connected",
        refresh_token="r",
        team_id=credential.team_id,
    )
    refuse(dropbox, 400, {"error": "invalid_client"})
    with pytest.raises(tokens.WrongClient):
        refresh_token.run(second.pk, now=timezone.now())
    assert "Client secret refused: reclamation" in page_of(integrator, credential)
    dropbox.faults.clear()
    assert refresh_token.run(credential.pk, now=timezone.now())
    assert profile_of(credential).attention == "client_refused"  # that of the second app is wrong still


def test_a_token_that_the_api_refuses_is_renewed_and_only_the_refresh_ends_the_grant(
    credential: Credential, dropbox: Any
) -> None:
    """`invalid_access_token` is about the token: Dropbox may forget it while the grant is as good as before."""
    Credential.objects.update(expires_at=timezone.now() + timedelta(hours=3))
    dropbox.store.tokens.clear()
    assert download(credential).state == "succeeded"
    unknown = {"error_summary": "invalid_access_token/", "error": {".tag": "invalid_access_token"}}
    dropbox.faults.add("team/get_info", None, Fault(status=401, body=unknown))
    run = download(credential)
    assert run.state == "failed" and "nor a new one" in run.error_message
    assert Credential.objects.get(pk=credential.pk).is_connected
    dropbox.faults.clear()
    assert download(credential).state == "succeeded"

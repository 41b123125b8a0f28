"""Get OAuth Token: the way there, the way back, and every exit on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Fault, application
from profiles.connectors.dropbox.sandbox.oauth import PERSONAL
from profiles.models import Credential, IntegrationProfile, JobRun, OAuthState
from samsaas.models import AuditEntry
from tests import pages, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def outcome_of(client: Any, sandbox: Any, back: str) -> str:
    """Follow the vendor's answer; the path of the page says how it ended."""
    answer = client.get(back)
    assert answer.status_code == 303
    assert "code=" not in answer["Location"] and "state=" not in answer["Location"]
    page = client.get(answer["Location"])
    attempt = OAuthState.objects.order_by("-used_at", "-pk").first()
    stopped = "/stopped/" in answer["Location"]
    assert page.status_code in (200, 400)
    return answer["Location"].rstrip("/").rsplit("/", 1)[-1] if stopped else attempt.outcome


def main_credential(profile: IntegrationProfile) -> Credential:
    return Credential.objects.get(alias=profile.alias_id, purpose="subscriptions")


def nothing_stored(profile: IntegrationProfile) -> bool:
    held = main_credential(profile)
    profile.refresh_from_db()
    return held.state == "new" and not held.access_token and not held.refresh_token and not profile.team_id


def test_consent_url_asks_offline_with_pkce_and_the_scopes_of_the_enabled_processes(integrator, draft, dropbox):
    asked = parse_qs(urlsplit(worlds.press(integrator, draft)).query)
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == ["http://localhost:8000/oauth_redirect.do"]
    assert asked["token_access_type"] == ["offline"]
    assert asked["force_reapprove"] == ["true"]
    assert asked["code_challenge_method"] == ["S256"]
    assert "force_reauthentication" not in asked
    assert set(asked["scope"][0].split()) >= {"members.read", "team_info.read", "events.read", "members.delete"}
    assert len(asked["state"][0]) < 500


def test_scopes_of_a_process_that_is_off_are_not_asked_for(integrator, draft, dropbox):
    IntegrationProfile.objects.update(reclaim=False, pull_activity=False)
    asked = parse_qs(urlsplit(worlds.press(integrator, draft)).query)
    assert not {"members.delete", "members.write", "events.read"} & set(asked["scope"][0].split())


def test_another_administrator_can_be_chosen(integrator, draft, dropbox):
    asked = parse_qs(urlsplit(worlds.press(integrator, draft, switch_account="1")).query)
    assert asked["force_reauthentication"] == ["true"]


def test_allow_connects_the_profile_validates_it_and_queues_its_first_download(integrator, draft, dropbox):
    page = worlds.connect(integrator, draft, dropbox)
    (validation,) = worlds.work()
    assert (validation.process, validation.state) == ("validate_connection", "succeeded")
    draft.refresh_from_db()
    held = main_credential(draft)
    assert "Connected" in page.content.decode()
    assert draft.status == "published" and draft.team_name == "Nordwind Trading" and not draft.attention
    assert held.state == "connected" and held.access_token and held.refresh_token
    assert held.admin_email and held.team_id == draft.team_id
    assert JobRun.objects.get(state="queued").trigger == "first"
    assert sorted(map(str, draft.scheduled_jobs.all())) == [
        "SAM - Refresh Dropbox Europe Events",
        "SAM - Refresh Dropbox Europe Subscriptions",
    ]


def test_secrets_are_unreadable_in_the_database_and_absent_from_pages_and_audit(integrator, connected):
    from django.db import connection  # noqa: PLC0415

    held = main_credential(connected)
    secrets = [held.client_secret, held.access_token, held.refresh_token]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM profiles_credential")
        raw = str(cursor.fetchall())
    audit = str(list(AuditEntry.objects.values()))
    pages = "".join(
        integrator.get(path).content.decode()
        for path in (
            f"/integration-profiles/{connected.pk}/",
            f"/integration-profiles/{connected.pk}/edit/",
            "/aliases/",
        )
    )
    for secret in secrets:
        assert secret and secret not in raw and secret not in audit and secret not in pages


def test_a_replayed_answer_changes_nothing(integrator, draft, dropbox):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    integrator.get(back)
    before = Credential.objects.values().get()
    assert outcome_of(integrator, dropbox, back) == "state_used"
    assert Credential.objects.values().get() == before


@pytest.mark.parametrize("query", ["", "code=x", "state=", "state=forged&code=x", f"state={'x' * 5000}&code=x"])
def test_an_unknown_state_is_refused_without_calling_the_vendor(integrator, draft, dropbox, query):
    assert outcome_of(integrator, dropbox, f"/oauth_redirect.do?{query}") == "state_unknown"
    assert not dropbox.log


def test_an_expired_state_is_refused(integrator, draft, dropbox):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    OAuthState.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert outcome_of(integrator, dropbox, back) == "state_expired"
    assert nothing_stored(draft)


def test_another_users_answer_is_refused(integrator, draft, dropbox, signed_in):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    other = signed_in("admin")
    assert outcome_of(other, dropbox, back) == "state_foreign"
    assert nothing_stored(draft)


def test_another_session_of_the_same_user_is_refused(integrator, draft, dropbox):
    from django.test import Client  # noqa: PLC0415

    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    elsewhere = Client()
    elsewhere.force_login(integrator.user)
    assert outcome_of(elsewhere, dropbox, back) == "state_foreign"
    assert nothing_stored(draft)


def test_a_lost_session_gets_a_page_that_says_so(integrator, draft, dropbox, client):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    answer = client.get(back, follow=True)
    assert "You are signed out" in answer.content.decode()
    assert nothing_stored(draft)


def test_a_role_lost_on_the_way_stores_nothing(integrator, draft, dropbox):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    integrator.user.groups.clear()
    assert outcome_of(integrator, dropbox, back) == "role_lost"
    assert nothing_stored(draft)


def test_cancel_is_told_from_an_error(integrator, draft, dropbox):
    back = worlds.consent(dropbox, worlds.press(integrator, draft), allow=False)
    assert outcome_of(integrator, dropbox, back) == "denied"
    assert nothing_stored(draft)


def test_a_hostile_error_description_is_inert(integrator, draft, dropbox):
    state = parse_qs(urlsplit(worlds.press(integrator, draft)).query)["state"][0]
    hostile = "%3Cscript%3Ealert(1)%3C/script%3E"
    page = integrator.get(
        f"/oauth_redirect.do?error=server_error&error_description={hostile}&state={state}", follow=True
    )
    assert "<script>alert" not in page.content.decode()
    assert "The vendor reported an error" in page.content.decode()


def test_a_code_that_is_refused(integrator, draft, dropbox):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    dropbox.store.codes.clear()
    assert outcome_of(integrator, dropbox, back) == "code_refused"
    assert nothing_stored(draft)


def test_a_wrong_client_secret_is_named(integrator, draft, dropbox):
    Credential.objects.update(client_secret="not-the-secret")
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    assert outcome_of(integrator, dropbox, back) == "wrong_client"
    assert nothing_stored(draft)
    page = integrator.get(draft.get_absolute_url()).content.decode()
    assert "The client secret is wrong" in page and "into the field Client secret" in page


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_an_outage_of_the_token_endpoint_is_not_a_refusal(integrator, draft, dropbox, status):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    dropbox.faults.add("oauth2/token", None, Fault(status=status, body="<html>down</html>"))
    assert outcome_of(integrator, dropbox, back) == "outage"
    assert nothing_stored(draft)


def test_an_outage_after_the_exchange_keeps_the_grant_and_the_validation_asks_whose_it_is(integrator, draft, dropbox):
    """The code is spent: to store nothing would cost the consent, and leave a grant at the vendor that nobody knows."""
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    dropbox.faults.add("team/get_info", 1, Fault(status=503))
    assert outcome_of(integrator, dropbox, back) == "connected"
    assert main_credential(draft).team_id and not main_credential(draft).admin_email
    assert [run.state for run in worlds.work()] == ["succeeded"]
    draft.refresh_from_db()
    assert draft.team_name == "Nordwind Trading" and main_credential(draft).admin_email


ODD_GRANTS = [
    {"access_token": "n\0l"},
    {"access_token": "x" * 100_000},
    {"refresh_token": "r\0"},
    {"refresh_token": "r" * 100_000},
    {"team_id": "dbtid:\0"},
    {"team_id": "dbtid:" + "x" * 300},
    {"team_id": "\ud800"},
    {"account_id": "\0"},
    {"token_type": "\0"},
]
KEPT_GRANTS = [
    {"scope": "members.read \0 team_info.read " + "x" * 3000},
    {"scope": " ".join(f"scope{number}" for number in range(5000))},
    {"scope": ["members.read"]},
    {"expires_in": 10**400},
    {"expires_in": "\0"},
    {"expires_in": -1},
    {"unknown": {"\0": "\ud800"}},
]


@pytest.mark.parametrize("odd", ODD_GRANTS + KEPT_GRANTS, ids=lambda odd: str(odd)[:40])
def test_odd_values_in_a_token_answer_never_reach_the_database(integrator, draft, dropbox, odd):
    """NUL and over-long values are refused as unreadable, or left out, and never end in a 500 (S-13)."""
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    team = next(iter(dropbox.teams))
    token, refresh = dropbox.grant()
    whole = {"access_token": token, "refresh_token": refresh, "token_type": "bearer", "team_id": team}
    dropbox.faults.add("oauth2/token", None, Fault(status=200, body=whole | odd))
    kept = odd in KEPT_GRANTS
    assert outcome_of(integrator, dropbox, back) in (
        ("connected", "connected_missing_scopes") if kept else ("bad_answer",)
    )
    assert nothing_stored(draft) is not kept


@pytest.mark.parametrize(
    "body",
    [
        {"error": "\0", "error_description": "\ud800" * 5000},
        {"error": "invalid_grant\0", "error_description": "\0"},
        {"error": {"\0": 1}, "error_description": ["\0"]},
        {"error": "x" * 100_000},
    ],
)
def test_odd_values_in_a_refusal_never_reach_the_database(integrator, draft, dropbox, body):
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    dropbox.faults.add("oauth2/token", None, Fault(status=400, body=body))
    assert outcome_of(integrator, dropbox, back) in ("refused", "code_refused")
    assert nothing_stored(draft)


def test_a_personal_account_is_not_a_team(integrator, draft, dropbox):
    back = worlds.consent(dropbox, worlds.press(integrator, draft), account=PERSONAL)
    assert outcome_of(integrator, dropbox, back) == "no_team"
    assert nothing_stored(draft)


def test_another_team_keeps_the_old_connection_until_it_is_replaced_on_purpose(integrator, connected, dropbox):
    other = list(dropbox.teams.values())[1]
    admin = other.admins()[0]["profile"]["team_member_id"]
    before = main_credential(connected).refresh_token
    back = worlds.consent(dropbox, worlds.press(integrator, connected), account=admin)
    page = integrator.get(back, follow=True).content.decode()
    assert "Nordwind Trading" in page and "Blue Harbour Studio" in page
    assert main_credential(connected).refresh_token == before
    back = worlds.consent(dropbox, worlds.press(integrator, connected, replace_team="1"), account=admin)
    assert outcome_of(integrator, dropbox, back) == "connected"
    connected.refresh_from_db()
    assert connected.team_name == "Blue Harbour Studio"


def test_a_team_that_another_profile_holds_is_connected_again_only_on_purpose(integrator, connected, dropbox):
    second = worlds.draft_profile("Dropbox Asia")
    page = worlds.connect(integrator, second, dropbox).content.decode()
    second.refresh_from_db()
    assert connected.display_name in page and "counted twice" in page and not second.team_id
    assert nothing_stored(second)
    back = worlds.consent(dropbox, worlds.press(integrator, second, share_team="1"))
    assert outcome_of(integrator, dropbox, back) == "connected"
    second.refresh_from_db()
    assert second.team_id == connected.team_id
    for page in (second.get_absolute_url(), connected.get_absolute_url(), "/"):
        assert "is connected to the same team" in integrator.get(page).content.decode(), page
    assert outcome_of(integrator, dropbox, worlds.consent(dropbox, worlds.press(integrator, second))) == "connected"


def test_a_new_token_replaces_the_administrator(integrator, connected, dropbox):
    first = main_credential(connected).admin_external_id
    second = next(iter(dropbox.teams.values())).admins()[1]["profile"]["team_member_id"]
    worlds.connect(integrator, connected, dropbox, account=second)
    assert main_credential(connected).admin_external_id == second != first


def test_missing_scopes_connect_but_are_listed_and_the_profile_stays_a_draft(integrator, draft, dropbox, monkeypatch):
    monkeypatch.setattr("profiles.oauth.scopes.wanted", lambda profile, purpose: ["team_info.read", "events.read"])
    page = worlds.connect(integrator, draft, dropbox).content.decode()
    (validation,) = worlds.work()
    draft.refresh_from_db()
    assert "scopes are missing" in page and "members.read" in page
    assert draft.status == "draft" and validation.state == "failed" and "members.read" in validation.error_message
    assert not JobRun.objects.filter(process="download_subscriptions").exists()


def test_excess_scopes_are_pointed_out(integrator, draft, dropbox, monkeypatch):
    IntegrationProfile.objects.update(reclaim=False)
    wide = ["members.read", "team_info.read", "events.read", "members.delete"]
    monkeypatch.setattr("profiles.oauth.flow.scopes.wanted", lambda profile, purpose: wide)
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    monkeypatch.undo()
    page = integrator.get(back, follow=True).content.decode()
    assert "Scopes nobody asked for" in page and "members.delete" in page


def test_a_secret_changed_during_consent_stops_the_exchange(integrator, draft, dropbox):
    from profiles.connection import credentials  # noqa: PLC0415

    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    credentials.save_client(draft.alias, "subscriptions", application.DEMO_KEY, "another-secret")
    assert outcome_of(integrator, dropbox, back) == "profile_changed"


def test_consent_of_the_reclamation_app_follows_by_itself(integrator, draft, dropbox):
    from profiles.connection import credentials  # noqa: PLC0415

    credentials.save_client(draft.alias, "reclamation", application.RECLAIM_KEY, application.RECLAIM_SECRET)
    answer = integrator.get(worlds.consent(dropbox, worlds.press(integrator, draft)))
    assert answer["Location"].startswith("https://sandbox.example/oauth2/authorize")
    assert parse_qs(urlsplit(answer["Location"]).query)["client_id"] == [application.RECLAIM_KEY]
    assert outcome_of(integrator, dropbox, worlds.consent(dropbox, answer["Location"])) == "connected"
    second = Credential.objects.get(purpose="reclamation")
    assert second.state == "connected" and second.team_id == main_credential(draft).team_id


def test_the_reclamation_app_of_another_team_is_refused(integrator, connected, dropbox):
    from profiles.connection import credentials  # noqa: PLC0415

    credentials.save_client(connected.alias, "reclamation", application.RECLAIM_KEY, application.RECLAIM_SECRET)
    admin = list(dropbox.teams.values())[1].admins()[0]["profile"]["team_member_id"]
    back = worlds.consent(dropbox, worlds.press(integrator, connected, purpose="reclamation"), account=admin)
    assert outcome_of(integrator, dropbox, back) == "other_team"
    assert Credential.objects.get(purpose="reclamation").state == "new"


def test_disconnect_removes_the_tokens_whatever_the_vendor_answers(integrator, connected, dropbox):
    dropbox.faults.add("auth/token/revoke", None, Fault(status=400, body="no"))
    integrator.post(f"/integration-profiles/{connected.pk}/disconnect/")
    held = main_credential(connected)
    connected.refresh_from_db()
    assert held.state == "new" and not held.access_token and not held.refresh_token
    assert connected.attention == "needs_authorization"


def test_every_step_leaves_an_audit_line(integrator, connected):
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"started authorization", "finished authorization"} <= verbs


def test_the_profile_page_knows_that_it_waits_for_the_vendor(integrator, draft, dropbox):
    waiting = f"/integration-profiles/{draft.pk}/waiting/"
    assert integrator.get(waiting).json()["waiting"] is False
    url = worlds.press(integrator, draft)
    assert integrator.get(waiting).json()["waiting"] is True
    integrator.get(worlds.consent(dropbox, url, allow=False))
    assert integrator.get(waiting).json()["waiting"] is False


def test_a_refused_scope_names_the_scopes_to_tick(integrator, draft, dropbox):
    """RFC 6749's invalid_scope on the way back: an app whose Permissions tab lacks what a process needs."""
    state = parse_qs(urlsplit(worlds.press(integrator, draft)).query)["state"][0]
    back = f"/oauth_redirect.do?error=invalid_scope&error_description=not+enabled&state={state}"
    page = integrator.get(back, follow=True).content.decode()
    assert "The vendor refused a scope" in page and "<code>members.read</code>" in page and "not enabled" in page
    assert nothing_stored(draft)


def scopes_asked(client, profile, **fields):
    return parse_qs(urlsplit(worlds.press(client, profile, **fields)).query)["scope"][0].split()


def test_device_sessions_are_asked_for_on_demand_and_again_once_granted(integrator, connected, dropbox):
    page = pages.of_profile(integrator, connected)
    assert "Get OAuth Token with device sessions" in page and "sessions.list" in page
    assert "sessions.list" not in scopes_asked(integrator, connected)
    back = worlds.consent(dropbox, worlds.press(integrator, connected, sessions="1"))
    assert "The vendor gave this profile a token" in integrator.get(back, follow=True).content.decode()
    assert "sessions.list" in main_credential(connected).granted_scopes
    assert "sessions.list" in scopes_asked(integrator, connected)
    page = pages.of_profile(integrator, connected)
    assert "Read too" in page and "with device sessions" not in page and "More than needed" not in page


def test_without_the_activity_process_nobody_offers_device_sessions(integrator, connected, dropbox):
    IntegrationProfile.objects.update(pull_activity=False)
    assert "sessions.list" not in scopes_asked(integrator, connected, sessions="1")
    assert "device sessions" not in pages.of_profile(integrator, connected)

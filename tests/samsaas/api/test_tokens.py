"""API tokens: made once and shown once, no more than their account and their role, and ended at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from samsaas import guessing, purge_expired
from samsaas.api import tokens
from samsaas.models import ApiToken, AuditEntry, GuessCount
from tests import factories, pages, worlds
from tests.samsaas.api import world
from tests.samsaas.sign_in_world import PASSWORD

pytestmark = pytest.mark.django_db


def form_of(**fields: str) -> dict[str, str]:
    day = timezone.localdate() + timedelta(days=90)
    return {"name": "Power BI", "role": "sam_user", "last_day": day.isoformat(), **fields}


def test_a_token_is_shown_once_and_only_its_hash_is_stored(signed_in: Any) -> None:
    client = signed_in("sam_admin")
    page = client.post("/api-tokens/new/", form_of())
    text = re.search(r'data-copy="(sam_[\w-]{43})"', page.content.decode())[1]
    stored = ApiToken.objects.get()
    assert stored.digest == tokens.digest_of(text) and text.startswith(stored.prefix)
    assert (stored.user, stored.role, stored.name) == (client.user, "sam_user", "Power BI")
    shown = client.get("/api-tokens/").content.decode()
    assert stored.prefix in shown and text not in shown and "Never" in shown
    assert f'href="/api-tokens/{stored.pk}/revoke/"' in shown and "Expired<" not in shown
    assert form_of()["last_day"] == stored.last_day.isoformat()
    entry = AuditEntry.objects.get(verb="created API token")
    assert entry.actor_name == client.user.username and text not in str(entry.detail) + entry.object_name
    answer = Client().get("/api/v1/people", headers={"Authorization": f"bearer {text}"})
    assert answer.status_code == 200
    stored.refresh_from_db()
    assert stored.last_used_from == "127.0.0.1" and stored.last_used_at is not None


def test_making_one_asks_for_the_password_that_was_given_long_ago(signed_in: Any) -> None:
    client = signed_in("sam_user")
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        client.get("/")
        page = client.post("/api-tokens/new/", form_of())
        assert "Your password" in page.content.decode() and not ApiToken.objects.exists()
        held = re.search(r'name="held_form" value="([^"]+)"', page.content.decode())[1]
        client.post("/api-tokens/new/", {"held_form": held, "password_again": PASSWORD})
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"last_day": ""}, "This field is required"),
        ({"last_day": "2020-01-01"}, "within a year"),
        ({"last_day": "9999-12-31"}, "within a year"),
        ({"role": "admin"}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 81}, "at most 80"),
    ],
)
def test_a_token_ends_within_a_year_and_has_a_role_that_its_account_has(
    signed_in: Any, fields: dict[str, str], words: str
) -> None:
    page = signed_in("sam_user").post("/api-tokens/new/", form_of(**fields)).content.decode()
    assert words in page and not ApiToken.objects.exists()


def test_everybody_sees_and_revokes_their_own_and_an_administrator_everybodys(signed_in: Any, caller: Any) -> None:
    script = caller("sam_user", username="owner")
    other, admin = signed_in("sam_admin"), signed_in("admin")
    path = f"/api-tokens/{script.token.pk}/revoke/"
    assert script.token.prefix not in other.get("/api-tokens/").content.decode()
    assert other.post(path).status_code == 404 and other.get(path).status_code == 404
    assert script.get("people").status_code == 200
    assert script.token.prefix in admin.get("/api-tokens/").content.decode()
    assert "Revoke" in admin.get(path).content.decode()
    assert admin.post(path).status_code == 302
    assert script.get("people").status_code == 401
    entry = AuditEntry.objects.get(verb="revoked API token")
    assert (entry.actor_name, entry.detail["owner"]) == ("admin", "owner")
    admin.post(path)
    assert AuditEntry.objects.filter(verb="revoked API token").count() == 1


def test_without_a_token_that_is_valid_the_answer_is_401_and_says_how(caller: Any) -> None:
    script = caller("sam_user")
    for header in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {script.text}",
        f"Bearer {script.text[:-1]}",
        f"Bearer {script.text}x",
    ):
        answer = Client().get("/api/v1/people", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401 and answer["WWW-Authenticate"].startswith("Bearer"), header
        assert answer["Content-Type"] == "application/problem+json" and not answer.cookies
    assert Client().get(f"/api/v1/people?token={script.text}").status_code == 401
    assert Client().get("/api/v1/people", headers={"X-Api-Key": script.text}).status_code == 401


def test_a_token_ends_with_its_last_day(caller: Any) -> None:
    script = caller("sam_user")
    with time_machine.travel(script.token.expires_at - timedelta(seconds=1), tick=False):
        assert script.get("people").status_code == 200
    with time_machine.travel(script.token.expires_at, tick=False):
        assert script.get("people").status_code == 401


def test_a_token_can_never_do_more_than_its_role_or_than_its_account_can_today(caller: Any) -> None:
    narrow, wide = caller("admin", role="sam_user"), caller("sam_user", role="admin", username="ann")
    assert [one.get("audit-entries").status_code for one in (narrow, wide)] == [403, 403]
    one = factories.candidate()
    assert [c.post(f"candidates/{one.pk}/close", {"reason": "x"}).status_code for c in (narrow, wide)] == [403, 403]
    boss = caller("", username="root", is_superuser=True, role="sam_user")
    assert boss.get("people").status_code == 200 and boss.get("audit-entries").status_code == 403


def test_a_token_does_not_outlive_the_role_or_the_account_of_its_owner(caller: Any) -> None:
    script = caller("sam_admin")
    assert script.get("audit-entries").status_code == 200
    script.user.groups.set(Group.objects.filter(name="sam_user"))
    assert script.get("audit-entries").status_code == 403 and script.get("people").status_code == 200
    script.user.groups.clear()
    assert script.get("people").status_code == 403
    type(script.user).objects.filter(pk=script.user.pk).update(is_active=False)
    assert script.get("people").status_code == 401
    script.user.delete()
    assert script.get("people").status_code == 401


def test_cookies_count_for_nothing_and_no_call_opens_a_session(signed_in: Any, caller: Any) -> None:
    client, script = signed_in("admin"), caller("sam_user")
    before = Session.objects.count()
    assert client.get("/api/v1/people").status_code == 401
    answer = client.get("/api/v1/audit-entries", headers={"Authorization": f"Bearer {script.text}"})
    assert answer.status_code == 403, "the session's role does not widen the token's"
    assert not script.get("people").cookies and Session.objects.count() == before
    body = {"justification": "low_usage"}
    strict = Client(enforce_csrf_checks=True)
    path = f"/api/v1/subscriptions/{factories.subscription().pk}/propose"
    asked = strict.post(path, body, content_type="application/json", headers={"Authorization": f"Bearer {script.text}"})
    assert asked.status_code == 201, "nothing that a browser sends by itself opens anything, so there is no CSRF"


def test_calls_of_a_token_are_limited_by_the_minute_in_the_database(caller: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(tokens, "CALLS_PER_MINUTE", 3)
    script, other = caller("sam_user"), caller("sam_user", username="other")
    with time_machine.travel("2026-11-27 10:00:20+00:00", tick=False) as clock:
        assert [script.get("people").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = script.get("people")
        assert (refused["Retry-After"], refused["Content-Type"]) == ("40", "application/problem+json")
        assert other.get("people").status_code == 200
        clock.shift(40)
        assert script.get("people").status_code == 200
    assert script.stored().calls == 1


def test_wrong_tokens_are_limited_by_their_address_and_right_ones_are_not(caller: Any) -> None:
    script = caller("sam_user")
    with time_machine.travel("2026-11-27 10:00:20+00:00", tick=False):
        wrong = {"Authorization": f"Bearer sam_{'x' * 43}"}
        codes = [Client().get("/api/v1/people", headers=wrong).status_code for _ in range(22)]
        assert codes == [401] * guessing.WRONG_TOKENS_PER_MINUTE + [429] * 2
        assert script.get("people").status_code == 200
    assert GuessCount.objects.get().kind == "token"


def test_what_a_token_does_is_in_the_audit_trail_with_its_name(caller: Any) -> None:
    script = caller("sam_user")
    script.post(f"subscriptions/{factories.subscription().pk}/propose", {"justification": "low_usage"})
    entry = AuditEntry.objects.get(object_type="Removal Candidate")
    assert entry.actor_name == "sam_user" and entry.detail["through"] == f"API token {script.token}"
    assert script.text not in str(entry.detail)


def test_tokens_that_ended_are_deleted_after_90_days_with_their_kept_answers(caller: Any) -> None:
    revoked, valid = caller("sam_user"), caller("sam_user", username="other")
    tokens.revoke(revoked.token, by=revoked.user, now=timezone.now())
    revoked.token.kept_calls.create(key="k", fingerprint="f", at=timezone.now())
    assert purge_expired.run(timezone.now() + timedelta(days=89))["API tokens"] == 0
    assert purge_expired.run(timezone.now() + timedelta(days=91))["API tokens"] > 0
    assert list(ApiToken.objects.all()) == [valid.token]


def test_the_list_of_tokens_costs_the_same_for_one_and_for_thirty(signed_in: Any) -> None:
    client = signed_in("admin")
    world.Caller(client.user)
    few = pages.cost(client, "/api-tokens/")
    for _ in range(30):
        world.Caller(client.user)
    assert pages.cost(client, "/api-tokens/") == few
    for query in worlds.nonsense(("q", "state", "page", "sort", "per_page")):
        assert client.get(f"/api-tokens/?{query}").status_code in (200, 400)

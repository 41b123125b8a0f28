"""What an installation sends to browsers: locked cookies, https only, and a strict content security policy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from profiles import connectors
from profiles.connection import endpoints
from profiles.models import IntegrationProfile
from samsaas import policy
from subscriptions.models import SoftwareModel, Subscription
from tests import deployment, factories, test_permissions, worlds
from tests.samsaas.sign_in_world import LOGIN, PASSWORD, guess, try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ASKED = [
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_AGE",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_DOMAIN",
    "CSRF_COOKIE_NAME",
    "CSRF_COOKIE_SECURE",
    "CSRF_COOKIE_HTTPONLY",
    "CSRF_COOKIE_SAMESITE",
    "CSRF_TRUSTED_ORIGINS",
    "ALLOWED_HOSTS",
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "DEBUG",
    "SANDBOX",
]
TELL = (
    f"import json; from samsaas import settings; print(json.dumps({{n: getattr(settings, n, None) for n in {ASKED}}}))"
)


@pytest.fixture
def production(settings: Any, tmp_path: Any) -> Client:
    """A browser at this installation with the settings that `make check` uses for one behind https."""
    environment = {
        name: value for name, value in deployment.production(str(tmp_path)).items() if name != "ALLOWED_HOSTS"
    }
    said = subprocess.run([sys.executable, "-c", TELL], env=environment, check=True, capture_output=True, text=True)
    for name, value in json.loads(said.stdout).items():
        if value is not None:
            setattr(settings, name, value)
    return Client(enforce_csrf_checks=True, headers={"host": "samsaas.example.com"})


def test_production_sends_its_cookies_locked_to_https_and_this_host(ann: Any, production: Client) -> None:
    form = production.get(LOGIN, secure=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.content.decode())
    assert token and production.cookies["__Host-csrftoken"]["secure"]
    sent = {"username": "ann", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    origin = {"origin": "https://samsaas.example.com"}
    answer = production.post(LOGIN, sent, secure=True, headers=origin)
    assert answer.status_code == 302
    cookies = {name: morsel for name, morsel in answer.cookies.items() if morsel.value}
    assert set(cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for morsel in cookies.values():
        assert morsel["secure"] and morsel["httponly"] and morsel["samesite"] == "Lax"
        assert morsel["path"] == "/" and not morsel["domain"], "what the prefix __Host- demands"
    assert int(cookies["__Host-sessionid"]["max-age"]) <= 12 * 3600
    assert production.get("/", secure=True).status_code == 200


def test_production_answers_https_only_and_says_so_for_a_year(production: Client) -> None:
    answer = production.get("/runs/?q=a")
    assert answer.status_code == 301 and answer["Location"] == "https://samsaas.example.com/runs/?q=a"
    promise = production.get(LOGIN, secure=True)["Strict-Transport-Security"]
    assert promise == "max-age=31536000; includeSubDomains; preload"


def test_production_refuses_forms_from_other_sites_and_other_names_for_itself(ann: Any, production: Client) -> None:
    form = production.get(LOGIN, secure=True).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    sent = {"username": "ann", "password": PASSWORD, "csrfmiddlewaretoken": token[1] if token else ""}
    assert production.post(LOGIN, sent, secure=True, headers={"origin": "https://evil.example"}).status_code == 403
    assert production.get(LOGIN, secure=True, headers={"host": "evil.example"}).status_code == 400
    assert production.get(LOGIN, secure=True, headers={"x-forwarded-host": "evil.example"}).status_code == 200


def strict(answer: Any) -> bool:
    policy = answer.headers.get("Content-Security-Policy", "")
    return (
        "default-src 'none'" in policy and "base-uri 'none'" in policy and "unsafe" not in policy and "*" not in policy
    )


def test_every_kind_of_answer_carries_the_strict_policy(
    signed_in: Any, draft: IntegrationProfile, dropbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    administrator, reader = signed_in("admin"), signed_in("sam_user")
    guess(Client(), 5, "locked")
    answers = {
        "page": (administrator.get("/"), 200),
        "sign-in page": (Client().get(LOGIN), 200),
        "redirect to it": (Client().get("/"), 302),
        "locked door": (try_to(Client(), "locked", "x"), 429),
        "Core UI": (administrator.get("/core/"), 200),
        "export": (administrator.get("/subscriptions/export/"), 200),
        "JSON": (administrator.get(f"/integration-profiles/{draft.pk}/waiting/"), 200),
        "part of a page": (administrator.get(f"/runs/{factories.run().pk}/progress/"), 200),
        "way to the vendor": (administrator.post(f"/integration-profiles/{draft.pk}/authorize/"), 303),
        "way back": (administrator.get("/oauth_redirect.do?state=forged&code=x"), 303),
        "how it ended": (administrator.get("/authorizations/stopped/state_unknown/"), 400),
        "forbidden": (reader.get("/audit/"), 403),
        "form without a token": (Client(enforce_csrf_checks=True).post(LOGIN), 403),
        "nothing there": (reader.get("/no/such/page/"), 404),
        "wrong method": (administrator.get("/accounts/logout/"), 405),
        "probe": (Client().get("/healthz"), 200),
    }
    monkeypatch.setattr("samsaas.home.position.tiles", lambda *given: 1 / 0)
    broken = Client(raise_request_exception=False)
    broken.force_login(administrator.user)
    answers["failure"] = (broken.get("/"), 500)
    assert {kind: answer.status_code for kind, (answer, _) in answers.items()} == {
        kind: status for kind, (_, status) in answers.items()
    }
    assert [kind for kind, (answer, _) in answers.items() if not strict(answer)] == []
    hardened = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": None}
    for kind, (answer, _) in answers.items():
        for header, value in hardened.items():
            assert answer.headers.get(header) == value or (value is None and header in answer.headers), (kind, header)


# A block of JSON is data, which no browser runs.
INLINE = re.compile(
    r"<script(?![^>]*\s(?:src=|type=.application/json.))[^>]*>|"
    r"<style|\sstyle=[\"']|\son[a-z]+=[\"']|javascript:|\shx-on|\shx-vals=[\"']js:",
    re.IGNORECASE,
)


# Files of ours, and pictures that stand in the page itself, as that of a second factor's key does.
OURS = re.compile(r'(\w+)[^>]*\s(?:src|href)="(?:/static/|/core/jsi18n/|#)|img[^>]*\ssrc="data:image/')


def test_no_page_of_the_workspace_holds_inline_code_or_an_outside_address(
    signed_in: Any, connected: IntegrationProfile
) -> None:
    (run,) = worlds.work()
    IntegrationProfile.objects.update(display_name="Connected")
    administrator, shown = signed_in("admin"), []
    rows = (connected, run, connected.alias, Subscription.objects.first(), SoftwareModel.objects.first())
    addresses = test_permissions.addresses() | {str(row): row.get_absolute_url() for row in rows if row}
    for name, address in addresses.items():
        if "GET" not in policy.POLICY.get(name, "GET") or name in ("oauth_redirect", "admin:*"):
            continue
        answer = administrator.get(address)
        if "text/html" not in answer.headers.get("Content-Type", "") or answer.status_code != 200:
            continue
        page = answer.content.decode()
        assert INLINE.findall(page) == [], name
        loaded = re.findall(r'<((?:script|img|link|iframe|object|embed|source|use)[^>]*\s(?:src|href)="[^"]*")', page)
        assert all(OURS.match(element) for element in loaded), name
        shown += [name] if loaded else []
    assert len(shown) >= 18


def test_the_policy_lets_forms_lead_to_the_consent_page_of_every_vendor(settings: Any) -> None:
    """Get OAuth Token posts here and is redirected there; the addresses come from the registry and the deployment."""
    allowed = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"]
    pages = [endpoints.for_vendor(key).authorize_url for key in connectors.CONNECTORS]
    assert pages and {"{0.scheme}://{0.netloc}".format(urlsplit(page)) for page in pages} == set(allowed[1:])


def test_a_second_vendor_in_the_registry_is_in_the_policy_without_another_edit(tmp_path: Path) -> None:
    """A process of its own, because the settings are read once."""
    (tmp_path / "second.py").write_text(
        "from dataclasses import replace\n"
        "from profiles.connectors.dropbox.connector import VENDOR as first\n"
        "VENDOR = replace(first, key='second', endpoints=replace(first.endpoints, authorize_url='https://two.example/go'))"
    )
    code = (
        "from profiles import connectors; connectors.CONNECTORS['second'] = 'second'; "
        "from tests.settings import CONTENT_SECURITY_POLICY as policy; print(policy['DIRECTIVES']['form-action'])"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "https://two.example" in told.stdout and "https://sandbox.example" in told.stdout

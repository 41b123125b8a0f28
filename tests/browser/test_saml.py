"""A sign-in by SAML in a real browser: the answer is a form of another site, and no session comes with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Request, expect

from tests.samsaas.accounts import saml_provider
from tests.samsaas.accounts.saml_provider import BACK, FINISH

pytestmark = [pytest.mark.browser, pytest.mark.one_database, pytest.mark.django_db(transaction=True)]


def cookies_of(requests: list[Request], path: str) -> str:
    found = next(one for one in requests if one.url.endswith(path))
    return found.all_headers().get("cookie", "")


def test_a_colleague_signs_in_although_browsers_send_no_cookie_with_the_providers_form(
    page: Page, live_server: Any, settings: Any
) -> None:
    """`localhost` and `127.0.0.1` are two sites. The session cookie is Lax: it stays behind, and is back afterwards."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    settings.PUBLIC_URL, settings.SAML_GROUP_ROLES = live_server.url, ["it-heads=admin"]
    with saml_provider.running() as directory:
        directory.ours = f"{live_server.url}/accounts/saml"
        directory.put("s1", uid="ann", groups=["it-heads"])
        settings.SAML_METADATA_URL, settings.SAML_USERNAME_ATTRIBUTE = f"{directory.address}/metadata", "uid"
        page.goto(f"{live_server.url}/accounts/login/?next=/accounts/")
        page.get_by_role("link", name="Single sign-on").click()
        page.locator("input[name=sub]").fill("s1")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", name="Accounts", exact=True)).to_be_visible()
    assert User.objects.get().username == "ann"
    assert "sessionid" not in cookies_of(asked, BACK)
    assert "sessionid" in cookies_of(asked, FINISH) and "saml-answer" in cookies_of(asked, FINISH)

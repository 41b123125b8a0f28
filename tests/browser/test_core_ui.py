"""Core UI in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from tests import worlds

pytestmark = pytest.mark.one_database


@pytest.mark.browser
def test_the_browser_finds_nothing_against_the_content_security_policy(
    page: Page, live_server: Any, account: Any
) -> None:
    """The `page` fixture fails the test for every complaint on the console."""
    administrator = account("admin")
    profile = worlds.draft_profile()
    client = Client()
    client.force_login(administrator)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    places = ("", "auth/user/", "auth/user/add/", f"auth/user/{administrator.pk}/change/", "profiles/jobrun/")
    for place in (*places, "profiles/integrationprofile/", f"profiles/integrationprofile/{profile.pk}/change/"):
        answer = page.goto(f"{live_server.url}/core/{place}")
        assert answer.status == 200
        page.wait_for_load_state("networkidle")
    page.goto(f"{live_server.url}/core/auth/user/{administrator.pk}/password/")
    assert page.get_by_role("button", name="Change password").is_visible()

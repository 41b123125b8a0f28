"""Core UI in a real browser."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from subscriptions.models import Entitlement
from tests import factories, worlds
from tests.browser import looks
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

NO_STYLES = {"preload": False}  # it would fetch style sheets, which the content security policy refuses
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
    places = ("license-workbench/", "subscriptions/entitlement/", "reclamation/removalcandidate/")
    places += ("", "auth/user/", "auth/user/add/", f"auth/user/{administrator.pk}/change/", "profiles/jobrun/")
    for place in (*places, "profiles/integrationprofile/", f"profiles/integrationprofile/{profile.pk}/change/"):
        answer = page.goto(f"{live_server.url}/core/{place}")
        assert answer.status == 200
        page.wait_for_load_state("networkidle")
    page.goto(f"{live_server.url}/core/auth/user/{administrator.pk}/password/")
    assert page.get_by_role("button", name="Change password").is_visible()


@pytest.mark.browser
def test_core_ui_passes_the_accessibility_rules_light_dark_and_narrow(
    page: Page, live_server: Any, account: Any, settings: Any
) -> None:
    settings.WORKSPACE = False
    administrator = account("admin")
    profile = worlds.draft_profile()
    run = make_position()
    client = Client()
    client.force_login(administrator)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    profiles = "core/profiles/integrationprofile"
    places = ("core/", f"{profiles}/", f"{profiles}/new/dropbox/", f"{profiles}/{profile.pk}/change/")
    places += ("core/license-workbench/", "core/license-workbench/?publisher=Acme", f"reconciliations/{run.pk}/print/")
    places += ("core/subscriptions/entitlement/", f"core/subscriptions/reconciliationrun/{run.pk}/change/")
    addresses = [f"{live_server.url}/{place}" for place in places]
    shown = (("light", 1280), ("dark", 1280), ("light", 380))
    assert looks.faults(page, addresses, shown, may_scroll=True, **NO_STYLES) == []


def make_position() -> Any:
    """A model that is short, and one of the same publisher that is not."""
    for product, seats, rights in (("Mail", 3, 1), ("Chat", 1, 2)):
        model = factories.software_model(publisher="Acme", product=product, edition="")
        kind = factories.identifier(software_model=model)
        for _ in range(seats):
            factories.subscription(identifier=kind, first_seen_at=timezone.now())
        Entitlement.objects.create(
            software_model=model,
            state="in_use",
            start=date(2020, 1, 1),
            purchased_rights=rights,
            unit_cost=100,
            currency="USD",
        )
    return reconcile_as_of(None, now=timezone.now())

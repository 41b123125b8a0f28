"""Profile pages and forms in a real browser: names without a break on a phone, and fields that open when they are asked
for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from profiles.connectors import base
from profiles.models import ConnectionAlias, IntegrationProfile, ScheduledJob
from tests import factories

pytestmark = pytest.mark.browser

UNBROKEN = "Dropbox_Europe_Production_Tenant_Without_Any_Break_In_Its_Name_0123456789"
SIDEWAYS = """
() => [document.documentElement, ...document.querySelectorAll("main .scroller")]
    .filter((place) => place.scrollWidth > place.clientWidth).map((place) => place.getAttribute("aria-label") || "page")
"""


@pytest.fixture
def profile(db: None) -> IntegrationProfile:
    """Refreshed daily, in the zone with one of the longest names."""
    ConnectionAlias.objects.update(zone="America/Argentina/Buenos_Aires")
    made = factories.profile(display_name=UNBROKEN, refreshed_at=timezone.now())
    factories.credential(alias=made.alias, state="connected")
    ScheduledJob.objects.create(profile=made, process=base.DOWNLOAD)
    return made


@pytest.fixture
def open_page(page: Page, live_server: Any, account: Any) -> Any:
    """Go to an address, signed in as the administrator."""
    client = Client()
    client.force_login(account("admin"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return lambda address: page.goto(f"{live_server.url}{address}")


def test_no_name_or_zone_is_cut_on_a_phone(page: Page, open_page: Any, profile: IntegrationProfile) -> None:
    page.set_viewport_size({"width": 380, "height": 900})
    job = profile.scheduled_jobs.get()
    for address in (
        "/",
        profile.get_absolute_url(),
        f"{profile.get_absolute_url()}edit/",
        job.get_absolute_url(),
        "/user-resolution-rules/new/",
    ):
        open_page(address)
        assert page.evaluate(SIDEWAYS) == [], address


def test_choosing_a_new_child_alias_opens_the_field_for_its_name(
    page: Page, open_page: Any, profile: IntegrationProfile
) -> None:
    open_page("/integration-profiles/new/dropbox/")
    name = page.get_by_label("Name of the new child alias")
    expect(name).to_be_hidden()
    page.get_by_label("Connection & credential alias").select_option("Create a child alias")
    expect(name).to_be_visible()


def test_leaving_a_form_asks_if_something_was_changed_and_not_when_it_is_saved(
    page: Page, open_page: Any, profile: IntegrationProfile
) -> None:
    open_page(f"{profile.get_absolute_url()}edit/")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    name = page.get_by_label("Display name")
    name.click()
    open_page(f"{profile.get_absolute_url()}edit/")
    assert asked == [], "nothing was changed"
    name.fill("Typed")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"**{profile.get_absolute_url()}")
    assert asked == ["beforeunload"]
    open_page(f"{profile.get_absolute_url()}edit/")
    name.fill("Saved")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved was saved.")).to_be_visible()
    assert asked == ["beforeunload"]

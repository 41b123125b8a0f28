"""Two teams of one vendor side by side: the parent alias and a child made in place, both refreshed, read by profile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installations import Installation
from tests.browser.test_main_path import create_profile, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.own_database]
CHAIN = ("Download subscriptions", "Match people", "Pull user activity", "Re-examine candidates", "Find candidates")


def allow_as(page: Page, team: str) -> None:
    """Press Get OAuth Token and allow the access as the first administrator of a team."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Get OAuth Token").first.click()
    consent = opened.value
    consent.get_by_role("radio", name=re.compile(team)).first.check()
    consent.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Published").first).to_be_visible()
    expect(page.get_by_text(team).first).to_be_visible()


def wait_for_chain(page: Page, url: str) -> None:
    """The whole first refresh of the profile that is open: its page shows every step as succeeded."""
    profile = re.search(r"/integration-profiles/(\d+)/", page.url)
    assert profile, page.url
    for step in CHAIN:
        row = page.get_by_role("row", name=re.compile(rf"#\d+ {step}"))
        for _ in range(60):
            page.goto(f"{url}/runs/?profile={profile[1]}&state=succeeded")
            if row.count():
                break
            page.wait_for_timeout(500)
        expect(row.first).to_be_visible()
    page.goto(f"{url}/integration-profiles/{profile[1]}/")


def seats_of(page: Page, url: str, name: str) -> str:
    page.goto(f"{url}/subscriptions/")
    page.locator(".filters").get_by_label("Profile").select_option(name)
    expect(page.locator(".chips")).to_contain_text(name)
    return page.locator("[data-row-count]").inner_text().partition(" of ")[2]


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
def test_two_teams_live_side_by_side_through_the_parent_and_a_child_alias(
    page: Page, installation: Installation
) -> None:
    url = installation.url
    sign_in(page, installation)
    create_profile(page, "Trading")
    allow_as(page, "Nordwind Trading")
    wait_for_chain(page, url)
    page.get_by_role("link", name="How it is connected").click()
    expect(page.get_by_role("link", name="Dropbox", exact=True)).to_be_visible()

    page.goto(f"{url}/integration-profiles/new/dropbox/")
    page.get_by_label("Display name").fill("Studio")
    page.get_by_label("Connection & credential alias").select_option("Create a child alias")
    page.get_by_label("Name of the new child alias").fill("Dropbox_Studio")
    page.get_by_label("Client ID", exact=False).first.fill("samsaas-demo-key")
    page.get_by_label("Client secret", exact=False).first.fill("samsaas-demo-secret")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Next step: Get OAuth Token")).to_be_visible()
    page.get_by_role("link", name="Connection", exact=True).first.click()
    expect(page.get_by_text("child of Dropbox")).to_be_visible()
    allow_as(page, "Blue Harbour Studio")
    wait_for_chain(page, url)

    page.get_by_role("link", name="Jobs and coverage").first.click()
    expect(page.get_by_text("SAM - Refresh Studio Subscriptions").first).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Pull user activity Ready Passed"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Activity coverage: settled"))).to_be_visible()
    assert seats_of(page, url, "Trading") == "248"
    assert seats_of(page, url, "Studio") == "61"
    page.goto(f"{url}/software-models/")
    expect(page.get_by_role("link", name=re.compile("Dropbox Business Full"))).to_have_count(1)
    page.goto(f"{url}/aliases/")
    expect(page.get_by_role("row", name=re.compile("Trading"))).to_contain_text("–")
    expect(page.get_by_role("row", name=re.compile("Studio"))).to_contain_text("Dropbox_Studio")


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
def test_a_daily_refresh_is_moved_paused_and_run_by_hand_in_the_browser(page: Page, installation: Installation) -> None:
    sign_in(page, installation)
    create_profile(page, "Trading")
    allow_as(page, "Nordwind Trading")
    wait_for_chain(page, installation.url)
    page.get_by_role("link", name="Jobs and coverage").first.click()
    page.get_by_role("link", name=re.compile("^Edit.*Trading Subscriptions")).click()
    page.get_by_label("Daily at").fill("05:45")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(re.compile("05:45 Asia/Tokyo")).first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Pause.*Trading Subscriptions")).click()
    overview = page.get_by_role("navigation", name="Integration profile").get_by_role("link", name="Overview")
    expect(overview).to_contain_text("1 to look at")
    overview.click()
    expect(page.get_by_text("The daily refresh is paused")).to_be_visible()
    page.get_by_role("link", name="Jobs and coverage").first.click()
    page.get_by_role("button", name=re.compile("^Resume.*Trading Subscriptions")).click()
    expect(overview).not_to_contain_text("to look at")
    page.get_by_role("button", name=re.compile("^Run now.*Trading Subscriptions")).click()
    asked = page.get_by_role("row", name=re.compile(r"#\d+ Download subscriptions By hand"))
    expect(page).to_have_url(re.compile("/jobs/$"))
    asked.get_by_role("link").click()
    expect(page.get_by_text("The new list is published.")).to_be_visible(timeout=45_000)

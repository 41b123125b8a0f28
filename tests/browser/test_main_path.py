"""The first thing a user does, in a real browser: from the sign-in page to a downloaded list of subscriptions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from profiles.connectors.dropbox.sandbox import Fault
from profiles.connectors.dropbox.sandbox.messages import Delivery
from tests.browser import looks
from tests.browser.installations import Installation, worker_command

pytestmark = [pytest.mark.browser, pytest.mark.own_database]
ARRIVED = re.compile(r"Dropbox Business Full")
WITHIN_ITS_CELL = "one => one.getBoundingClientRect().right < one.closest('div').getBoundingClientRect().right"


def sign_in(page: Page, installation: Installation) -> None:
    page.goto(installation.url)
    page.get_by_label("Username").fill(installation.username)
    page.get_by_label("Password").fill(installation.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()


def create_profile(page: Page, name: str = "Dropbox Europe") -> None:
    """License operations > User Subscriptions > Direct integration profiles > New > Dropbox > Continue > Submit."""
    page.get_by_role("link", name="Direct integration profiles").first.click()
    page.get_by_role("link", name=re.compile("New|Create an integration profile")).first.click()
    page.get_by_label("Vendor").select_option("Dropbox")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Display name").fill(name)
    page.get_by_label("Client ID", exact=False).first.fill("samsaas-demo-key")
    page.get_by_label("Client secret", exact=False).first.fill("samsaas-demo-secret")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Next step: Get OAuth Token")).to_be_visible()


def get_token(page: Page) -> None:
    """Press the button, allow in the pop-up; the profile page notices by itself."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Get OAuth Token").first.click()
    consent = opened.value
    consent.get_by_role("radio").first.check()
    consent.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Published").first).to_be_visible()
    expect(page.get_by_text("Nordwind Trading").first).to_be_visible()


def close_the_vendors_window(page: Page) -> None:
    """Press the button and close the pop-up by hand; the page says so and offers it again."""
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Get OAuth Token").first.click()
    expect(opened.value.get_by_role("button", name="Allow")).to_be_visible()
    for _ in range(3):  # the page looks again and again, and an open window is not taken for a closed one
        page.wait_for_event("response", lambda answer: answer.url.endswith("/waiting/"))
    expect(page.get_by_text("Still waiting for the vendor’s answer.")).to_be_visible()
    opened.value.close()
    expect(page.get_by_text("closed before an answer came")).to_be_visible()
    expect(page.get_by_role("button", name="Get OAuth Token again")).to_be_visible()


def downloaded(page: Page) -> None:
    """Wait on the profile's page, which follows its runs, until the first download is over."""
    page.get_by_role("navigation", name="Integration profile").get_by_role("link", name="Jobs and coverage").click()
    row = page.get_by_role("region", name="Job results").locator("tr", has_text="Download subscriptions")
    row = row.filter(has_text="Succeeded")
    expect(row.first).to_be_visible(timeout=60_000)


def test_a_new_user_connects_a_team_and_sees_its_subscriptions(page: Page, installation: Installation) -> None:
    sign_in(page, installation)
    create_profile(page)
    close_the_vendors_window(page)
    get_token(page)
    downloaded(page)
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name="Software subscriptions").click()
    expect(page.locator("[data-row-count]")).to_contain_text("of 248")
    page.wait_for_load_state()  # rows are there before the script that follows what is typed
    page.get_by_role("searchbox", name="Search").fill("müller")
    expect(page.locator("tbody tr").first).to_contain_text("Müller")
    expect(page).to_have_url(re.compile("q=m"))
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Müller")
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name="Software models").click()
    expect(page.get_by_role("link", name=ARRIVED)).to_be_visible()


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
def test_one_press_and_every_step_of_the_refresh_passes_by_on_the_page(page: Page, installation: Installation) -> None:
    """Nobody opens or reloads anything after the consent, though between two steps no run is active."""
    sign_in(page, installation)
    create_profile(page)
    get_token(page)
    page.get_by_role("link", name="Jobs and coverage").first.click()
    for process in (
        "Validate connection",
        "Download subscriptions",
        "Match people",
        "Pull user activity",
        "Re-examine candidates",
        "Find candidates",
    ):
        row = page.get_by_role("region", name="Job results").locator("tr", has_text=process)
        expect(row.filter(has_text="Succeeded")).to_have_count(1, timeout=60_000)
    expect(page.locator("main [hx-trigger]")).to_have_count(0)
    expect(page.get_by_role("button", name="Download subscriptions")).to_be_visible()
    page.goto(f"{installation.url}/subscriptions/")
    for width in (1440, 1280, 1152, 1024):
        page.set_viewport_size({"width": width, "height": 860})
        too_wide = page.locator("#listing .scroller").evaluate("one => one.scrollWidth - one.clientWidth")
        assert too_wide == 0, f"the last column is cut off at {width} px"
        assert page.locator("tbody [data-tick]").first.evaluate(WITHIN_ITS_CELL), f"a tick box is cut off at {width} px"
    page.set_viewport_size({"width": 1280, "height": 800})
    bottoms = page.locator("#listing tbody tr").evaluate_all("rows => rows.map(r => r.getBoundingClientRect().bottom)")
    assert sum(bottom <= 800 for bottom in bottoms) >= 14, "whole rows on a screen of 1280 x 800"


def test_everything_works_without_scripts_and_without_a_popup(browser: Any, installation: Installation) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, installation)
    create_profile(page)
    page.get_by_role("button", name="Get OAuth Token").first.click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    page.get_by_role("link", name="Back to the profile").click()
    expect(page.get_by_text("Nordwind Trading").first).to_be_visible()
    context.close()


def test_the_worker_is_killed_in_the_middle_and_the_run_goes_on_by_itself(
    page: Page, on_services: Installation
) -> None:
    sandbox = on_services.sandbox
    assert sandbox is not None
    sign_in(page, on_services)
    create_profile(page)
    get_token(page)
    downloaded(page)
    on_services.manage("shell", "-c", "from profiles.models import *; ConnectionAlias.objects.update(page_size=20)")
    sandbox.faults.add("team/members/list/continue_v2", None, Fault(delivery=Delivery(delay=0.8)))
    page.get_by_role("button", name="Download subscriptions").click()
    page.get_by_role("link", name="Open the run").click()
    expect(page.get_by_text("Running").first).to_be_visible(timeout=30_000)
    expect(page.locator("dl.facts dd").first).not_to_have_text(re.compile("^[01]$"), timeout=30_000)
    on_services.kill("worker")
    page.goto(f"{on_services.url}/subscriptions/")
    expect(page.locator("[data-row-count]")).to_contain_text("of 248")
    sandbox.faults.clear()
    on_services.start("worker", *worker_command())
    page.goto(f"{on_services.url}/runs/")
    page.locator("tbody tr", has_text="Download subscriptions").first.get_by_role("link").first.click()
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The worker fell silent")).to_be_visible()
    page.goto(f"{on_services.url}/subscriptions/")
    expect(page.locator("[data-row-count]")).to_contain_text("of 248")


PAGES = (
    "/",
    "/help/",
    "/help/schedule/",
    "/integration-profiles/",
    "/integration-profiles/new/",
    "/integration-profiles/new/dropbox/",
    "/integration-profiles/1/",
    "/integration-profiles/1/subscriptions/",
    "/integration-profiles/1/jobs/",
    "/integration-profiles/1/connection/",
    "/integration-profiles/1/edit/",
    "/integration-profiles/1/delete/",
    "/integration-profiles/1/disconnect/",
    "/subscriptions/",
    "/subscriptions/1/",
    "/software-models/",
    "/software-models/1/",
    "/aliases/",
    "/aliases/1/",
    "/runs/",
    "/find/?q=dropbox",
    "/lists/views/",
    "/runs/1/",
    "/runs/3/",
    "/subscription-identifiers/",
    "/exclusions/users/",
    "/exclusions/identifiers/",
    "/people/",
    "/people/imports/",
    "/people/1/merge/",
    "/people/1/erase/",
    "/people/several-subscriptions/",
    "/user-resolution-rules/",
    "/what-counts-as-use/",
    "/entitlements/",
    "/entitlements/new/",
    "/entitlements/new/?form=plain",
    "/entitlements/imports/",
    "/license-usage/",
    "/reconciliations/",
    "/reconciliations/new/",
    "/removal-candidates/",
    "/subscriptions/7/propose/",
    "/renewals/",
    "/renewals/?view=month",
    "/api-tokens/",
    "/api-tokens/new/",
    "/api-reference/",
    "/savings/",
    "/savings/entries/",
    "/vendor-drift/",
    "/reasons/",
    "/integration-profiles/1/reasons/",
    "/integration-profiles/1/reasons/subscriptions/",
    "/reclamation-rules/",
    "/reclamation-rules/1/",
    "/reclamation-rules/1/edit/",
    "/reclamation-rules/1/review/",
    "/reclamation-rules/1/observations/",
    "/exemptions/",
    "/exemptions/new/",
    "/exemptions/import/",
    "/approvals/",
    "/retention/",
    "/reports/",
    "/reports/new/",
    "/outbox/",
    "/outbox/text/",
    "/audit/",
    "/accounts/",
    "/accounts/1/",
    "/accounts/1/edit/",
    "/accounts/me/",
    "/accounts/second-factor/",
    "/accounts/second-factor/app/",
    "/accounts/second-factor/keys/add/",
    "/accounts/invitations/",
    "/accounts/invitations/new/",
    "/limited-sight/",
    "/limited-sight/new/",
)


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
def test_every_page_passes_the_accessibility_rules_light_dark_and_narrow(
    page: Page, installation: Installation
) -> None:
    sign_in(page, installation)
    create_profile(page)
    get_token(page)
    downloaded(page)
    expect(page.locator("main [hx-trigger]")).to_have_count(0, timeout=90_000)
    addresses = [installation.url + path for path in PAGES]
    assert looks.faults(page, addresses, (("light", 1280), ("dark", 1280), ("light", 360))) == []

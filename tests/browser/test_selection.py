"""Selecting 120 candidates over pages in a real browser: with the keyboard alone, without scripts, and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from reclamation import workflow
from reclamation.models import RemovalCandidate
from reclamation.states import State
from tests.reclamation.selected import choosing

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]
LIST = "/removal-candidates/?per_page=50"
TEXT = "[data-selection-text]"


@pytest.fixture
def manager(account: Any) -> Any:
    return account("sam_admin", username="maria")


@pytest.fixture
def listed(manager: Any) -> list[RemovalCandidate]:
    return choosing.candidates(120)


def sign_in(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Sign in").click()
    page.goto(url + LIST)


@pytest.fixture
def place(page: Page, live_server: Any, listed: Any) -> Page:
    """The list of 120 candidates, with scripts."""
    sign_in(page, live_server.url)
    return page


@pytest.fixture
def plain(browser: Browser, live_server: Any, listed: Any) -> Iterator[Page]:
    """The same without scripts."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, live_server.url)
    yield page
    context.close()


def tab_to(page: Page, selector: str, key: str = "Tab", most: int = 400) -> None:
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} cannot be reached with the keyboard")


def test_with_the_keyboard_alone_ticks_survive_paging_and_are_closed(place: Page) -> None:
    tab_to(place, "[data-tick]")
    place.keyboard.press("Space")
    expect(place.locator(TEXT)).to_have_text("1 selected")
    expect(place.locator("#announcements")).to_have_text("1 selected")
    tab_to(place, "#page-on")
    place.keyboard.press("Enter")
    expect(place.locator("[data-row-count]")).to_contain_text("51–100 of 120")
    expect(place.locator(TEXT)).to_have_text("1 selected")
    expect(place.locator("#announcements")).to_contain_text("1 selected")
    tab_to(place, "#tick-page", "Shift+Tab")
    place.keyboard.press("Space")
    expect(place.locator(TEXT)).to_have_text("51 selected")
    tab_to(place, "#sort-display_name")
    place.keyboard.press("Enter")
    expect(place.locator('th[aria-sort="ascending"]')).to_contain_text("Display name")
    expect(place.locator(TEXT)).to_have_text("51 selected")
    tab_to(place, "button[value=close]", "Shift+Tab")
    place.keyboard.press("Enter")
    expect(place.get_by_role("heading", level=1)).to_have_text("Close 51 candidates as skipped?")
    tab_to(place, "textarea[name=reason]")
    place.keyboard.type("They are on a long project")
    tab_to(place, ".form-card button[type=submit]")
    place.keyboard.press("Enter")
    expect(place.get_by_text("51 candidates were closed as skipped.")).to_be_visible()
    assert RemovalCandidate.objects.filter(state=State.CLOSED_SKIPPED).count() == 51


def test_all_of_the_filter_is_selected_in_place_and_the_focus_stays_in_the_bar(place: Page) -> None:
    tab_to(place, "#selection-all")
    place.keyboard.press("Enter")
    expect(place.locator(TEXT)).to_have_text("All 120 selected")
    expect(place.locator(TEXT)).to_be_focused()
    expect(place.locator("[data-tick]:checked")).to_have_count(50)
    place.locator("[data-tick]").nth(2).press("Space")
    expect(place.locator(TEXT)).to_have_text("119 of 120 selected")
    place.locator("#page-on").click()
    expect(place.locator("[data-row-count]")).to_contain_text("51–100")
    expect(place.locator(TEXT)).to_have_text("119 of 120 selected")
    place.get_by_role("button", name="Clear").click()
    expect(place.locator(TEXT)).to_have_text("Nothing selected")
    expect(place.locator("[data-tick]:checked")).to_have_count(0)


def test_a_range_is_ticked_with_shift_and_looking_at_one_row_and_going_back_keeps_all(place: Page) -> None:
    place.locator("[data-tick]").nth(1).click()
    place.locator("[data-tick]").nth(5).click(modifiers=["Shift"])
    expect(place.locator(TEXT)).to_have_text("5 selected")
    place.locator("tbody tr a").nth(3).click()
    expect(place.get_by_role("heading", level=1)).to_contain_text("RC")
    place.go_back()
    expect(place.locator(TEXT)).to_have_text("5 selected")
    expect(place.locator("[data-tick]:checked")).to_have_count(5)
    place.reload()
    expect(place.locator(TEXT)).to_have_text("5 selected")


def test_many_quick_ticks_followed_by_the_next_page_lose_none(place: Page) -> None:
    place.evaluate("document.querySelectorAll('[data-tick]').forEach((box, at) => at < 30 && box.click())")
    place.locator("#page-on").click()
    expect(place.locator("[data-row-count]")).to_contain_text("51–100")
    expect(place.locator(TEXT)).to_have_text("30 selected")
    place.evaluate("document.querySelectorAll('[data-tick]').forEach((box, at) => at < 9 && box.click())")
    place.get_by_role("button", name="Assign").click()
    expect(place.get_by_role("heading", level=1)).to_have_text("Assign 39 candidates")


def test_another_filter_begins_without_a_selection(place: Page) -> None:
    place.locator("[data-tick]").first.check()
    place.locator(".filters").get_by_label("Assigned to").select_option("Nobody")
    expect(place).to_have_url(re.compile("assigned=nobody"))
    expect(place.locator(TEXT)).to_have_text("Nothing selected")


def test_a_list_that_changes_between_tick_and_action_is_told_and_confirmed_again(
    place: Page, listed: list[RemovalCandidate], manager: Any
) -> None:
    place.get_by_role("button", name="Select all 120 of this filter").click()
    expect(place.locator(TEXT)).to_have_text("All 120 selected")
    choosing.candidates(3)
    place.get_by_role("button", name="Close Skipped").click()
    expect(place.get_by_role("alert")).to_contain_text("3 more match now than when you selected them: 123, not 120.")
    workflow.skip(listed[0], reason="Quicker", by=manager, now=timezone.now())
    place.get_by_label("Reason").fill("Too many")
    place.get_by_role("button", name="Close Skipped").click()
    expect(place.get_by_role("alert")).to_contain_text("1 fewer matches now than when this page was shown")
    assert RemovalCandidate.objects.open().count() == 122
    place.get_by_role("button", name="Close Skipped").click()
    expect(place.get_by_text("122 candidates were closed as skipped.")).to_be_visible()


def test_assigning_is_undone_with_one_press(place: Page) -> None:
    place.locator("[data-tick]").first.check()
    place.get_by_role("button", name="Assign").click()
    place.get_by_label("Assign to").select_option("maria")
    place.get_by_role("button", name="Assign").click()
    expect(place.locator("tbody tr").first).to_contain_text("maria")
    place.get_by_role("button", name="Undo the assignment").click()
    expect(place.locator("tbody tr").first).not_to_contain_text("maria")


def test_everything_works_without_scripts(plain: Page) -> None:
    plain.locator("[data-tick]").nth(0).check()
    plain.locator("[data-tick]").nth(1).check()
    plain.get_by_role("button", name="Next page").click()
    expect(plain.locator(TEXT)).to_have_text("2 selected")
    plain.locator("[data-tick]").nth(0).check()
    plain.get_by_role("button", name="Number").click()
    expect(plain.locator(TEXT)).to_have_text("3 selected")
    plain.get_by_role("button", name="Select this page").click()
    expect(plain.locator(TEXT)).to_have_text(re.compile("5[0-3] selected"))
    plain.get_by_role("button", name="Select all 120 of this filter").click()
    expect(plain.locator(TEXT)).to_have_text("All 120 selected")
    plain.locator("[data-tick]").nth(0).uncheck()
    plain.get_by_role("button", name="Close Skipped").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Close 119 candidates as skipped?")
    plain.get_by_label("Reason").fill("A long project")
    plain.get_by_role("button", name="Close Skipped").click()
    expect(plain.get_by_text("119 candidates were closed as skipped.")).to_be_visible()
    assert RemovalCandidate.objects.open().count() == 1


def test_the_key_enter_in_a_tick_box_keeps_the_tick_and_does_nothing_else(plain: Page) -> None:
    plain.locator("[data-tick]").nth(4).check()
    plain.locator("[data-tick]").nth(4).press("Enter")
    expect(plain.locator(TEXT)).to_have_text("1 selected")


def test_the_list_and_its_actions_pass_the_accessibility_rules_light_dark_and_on_a_phone(place: Page) -> None:
    found = []
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 380), ("dark", 380)):
        place.set_viewport_size({"width": width, "height": 800})
        place.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        place.goto(place.url.partition("/removal")[0] + LIST)
        place.locator("[data-tick]").first.check()
        for button in ("", "Assign", "Close Skipped", "Add a note"):
            if button:
                place.get_by_role("button", name=button).click()
                expect(place.get_by_role("heading", level=1)).to_contain_text("1 candidate")
            result = Axe().run(place)
            found += [(scheme, width, button, rule["id"], rule["nodes"][0]["html"][:150])
                      for rule in result.response["violations"]]  # fmt: skip
            wider = place.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [(scheme, width, button, "scrolls sideways", wider)] if wider > 0 else []
            if button:
                place.get_by_role("link", name="Cancel").click()
    assert found == []

"""The search for everything by keyboard, in a real browser: a key opens it, arrows choose, Enter opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.browser import looks

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def place(browser: Browser, live_server: Any, account: Any) -> Iterator[Page]:
    account("sam_admin", username="maria")
    for name in ("Anna Müller", "Anna Mühl"):
        factories.person(name=name)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(live_server.url)
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def test_a_person_is_found_and_opened_without_a_mouse_and_is_there_the_next_time(place: Page) -> None:
    dialog, text = place.get_by_role("dialog"), place.get_by_role("combobox", name="Search everything")
    expect(place.get_by_role("link", name="Search", exact=True)).to_be_visible()
    place.keyboard.press("Control+k")
    expect(text).to_be_focused()
    place.keyboard.type("ANNA MU")
    options = dialog.get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_have_attribute("aria-selected", "true")
    place.evaluate(Axe().axe_script)
    place.evaluate(looks.FADED)
    assert place.evaluate(looks.RULES, {"resultTypes": ["violations"]}) == []
    place.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(text).to_have_attribute("aria-activedescendant", str(options.nth(1).get_attribute("id")))
    place.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    place.keyboard.press("/")  # no list on this page has a search of its own
    expect(text).to_be_focused()
    expect(options).to_have_count(2)
    place.keyboard.press("ArrowUp")
    place.keyboard.press("Enter")
    expect(place.get_by_role("heading", name="Anna Müller")).to_be_visible()
    place.get_by_role("link", name="Search", exact=True).click()
    expect(dialog.get_by_role("option", name="Anna Müller")).to_be_visible()

"""A list that cannot be loaded, in a real browser: it is told, the filter says what the table shows, Retry works."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]
LIST = "/people/"
TOLD = "#failed-load"


@pytest.fixture
def place(browser: Browser, live_server: Any, account: Any) -> Any:
    """The directory with two people. Failing requests are the point here, so the console may complain about them."""
    account("sam_admin", username="maria")
    for name in ("Ada Lovelace", "Grace Hopper"):
        factories.person(f"{name.split()[0].lower()}@example.com", name=name)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, live_server.url + LIST)
    yield page
    context.close()


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Sign in").click()


def fail_with(page: Page, status: int | None) -> None:
    """From now on the server is stopped (None), or answers with this status."""

    def answer(route: Route) -> None:
        if "hx-request" not in route.request.headers:
            route.continue_()
        elif status is None:
            route.abort("connectionrefused")
        else:
            route.fulfill(status=status, body="trouble")

    page.route("**/people/?*", answer)


def test_a_filter_that_could_not_be_applied_is_told_and_undone_and_a_retry_applies_it(place: Page) -> None:
    search, rows = place.get_by_role("searchbox"), place.locator("tbody tr")
    expect(rows).to_have_count(2)
    for status, words in (
        (None, "The server did not answer."),
        (503, "The server is busy"),
        (500, "had a problem (500)"),
    ):
        fail_with(place, status)
        search.fill("Grace")
        expect(place.locator(TOLD)).to_contain_text(words)
        expect(search).to_have_value("")
        expect(rows).to_have_count(2)
        place.unroute("**/people/?*")
    place.get_by_role("button", name="Retry").click()
    expect(rows).to_have_count(1)
    expect(search).to_have_value("Grace")
    expect(place.locator(TOLD)).to_be_hidden()

    fail_with(place, 503)
    search.fill("Ada")
    expect(place.locator(TOLD)).to_be_visible()
    expect(search).to_have_value("Grace")
    place.unroute("**/people/?*")
    search.fill("Lovelace")
    expect(rows).to_contain_text("Ada Lovelace")
    expect(place.locator(TOLD)).to_be_hidden()

    place.context.clear_cookies()
    search.fill("Hopper")
    expect(place.get_by_label("Username")).to_be_visible()
    sign_in(place, place.url)
    expect(search).to_have_value("Hopper")
    expect(rows).to_contain_text("Grace Hopper")

"""A list whose rows take long to find, in a real browser: the page is there at once, the rows come by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from samsaas.lib import sql
from tests import factories
from tests.browser.test_failed_loads import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def directory(page: Page, live_server: Any, account: Any, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Two people in a database that finds nothing in time."""

    @contextmanager
    def given_up(seconds: float, *, walk: bool = False) -> Iterator[None]:
        raise sql.TooLong
        yield

    monkeypatch.setattr(sql, "at_most", given_up)
    account("sam_admin", username="maria")
    for name in ("Ada Lovelace", "Grace Hopper"):
        factories.person(f"{name.split()[0].lower()}@example.com", name=name)
    sign_in(page, f"{live_server.url}/people/")
    return page


def test_rows_that_take_long_arrive_by_themselves_also_after_a_filter_and_after_going_back(directory: Page) -> None:
    rows, said = directory.locator("tbody tr"), directory.locator("[data-row-count]")
    expect(rows).to_have_count(2)
    expect(said).to_have_text("1–2 of 2")
    directory.get_by_role("searchbox", name="Search").first.fill("Grace")
    expect(rows).to_have_count(1)
    expect(directory.get_by_role("searchbox", name="Search").first).to_have_value("Grace")
    expect(directory.locator("#failed-load")).to_be_hidden()
    directory.go_back()
    expect(rows).to_have_count(2)
    expect(directory.get_by_text("Looking for the rows")).to_have_count(0)


def test_until_they_arrive_the_page_says_that_it_is_looking(directory: Page) -> None:
    asked: list[Route] = []
    expect(directory.locator("tbody tr")).to_have_count(2)  # nothing of the page before is asked for any more

    def hold(route: Route) -> None:
        if "hx-request" in route.request.headers:
            asked.append(route)
        else:
            route.continue_()

    directory.route("**/people/", hold)
    directory.goto(directory.url)
    expect(directory.get_by_role("status").filter(has_text="Looking for the rows")).to_be_visible()
    expect(directory.get_by_text("Nothing matches")).to_have_count(0)
    asked[0].continue_()
    expect(directory.locator("tbody tr")).to_have_count(2)

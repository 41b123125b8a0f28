"""A page that follows a run, in a real browser: its end loads the page anew, and never takes away a click."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from profiles.models import JobRun
from tests import factories
from tests.browser.test_failed_loads import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def followed(page: Page, live_server: Any, account: Any) -> Page:
    """The page of a run that is going on."""
    account("sam_admin", username="maria")
    run = factories.run(state="running")
    sign_in(page, f"{live_server.url}/runs/{run.pk}/")
    return page


def ends_while_watched(page: Page) -> None:
    with page.expect_response(lambda answer: "hx-refresh" in answer.headers):
        JobRun.objects.update(state="succeeded")


def test_the_end_of_the_run_loads_the_page_anew(followed: Page) -> None:
    expect(followed.locator("main [hx-trigger]")).to_have_count(1)
    ends_while_watched(followed)
    expect(followed.locator("main [hx-trigger]")).to_have_count(0)


def test_a_run_that_ends_after_a_click_does_not_take_the_click_away(followed: Page) -> None:
    asked: list[Route] = []
    followed.route("**/people/", lambda route: asked.append(route))  # the server takes a while
    followed.get_by_role("navigation", name="Workspace").get_by_role("link", name="People").click(no_wait_after=True)
    ends_while_watched(followed)
    followed.wait_for_timeout(500)
    asked[0].continue_()
    expect(followed.get_by_role("heading", level=1)).to_have_text("People")
    assert len(asked) == 1

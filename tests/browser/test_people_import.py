"""A file of people in a real browser: chosen, shown, applied; each step comes by itself on the page of the import."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installations import Installation
from tests.browser.test_main_path import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.own_database]
FILE = (
    "Employee number;Name;E-mails;Manager;Left on\n"
    "walk-1;Walkira Novak;walkira@nordwind.example;walk-2;\n"
    "walk-2;Walker Boss;;NOBODY;31.12.2099\n"
    f"walk-3;{'Wide' * 500};not an address;;\n"
)


def chosen(page: Page, url: str) -> None:
    page.goto(f"{url}/people/")
    page.get_by_role("link", name="Import").first.click()
    file = {"name": "walk.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    page.get_by_role("button", name="File").set_input_files([file])  # type: ignore[list-item]
    page.get_by_role("button", name="Upload and preview").click()


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
def test_a_file_is_previewed_and_applied_without_anybody_opening_or_reloading_a_page(
    page: Page, installation: Installation
) -> None:
    sign_in(page, installation)
    chosen(page, installation.url)
    expect(page.get_by_role("heading", name="Apply this file?")).to_be_visible(timeout=30_000)
    tiles = page.locator(".tiles")
    for tile in ("New people 2", "Refused lines 1", "Unknown managers 1"):
        expect(tiles.get_by_role("link", name=re.compile(tile))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Walker Boss"))).to_contain_text("Left on: 2099-12-31")
    refused = page.get_by_role("row", name=re.compile("walk-3"))
    expect(refused).to_contain_text("“not”, “an”, “address” are not e-mail addresses.")
    assert (refused.bounding_box() or {"height": 0})["height"] < 200, "a long name does not fill the page"
    refused.locator("summary").click()
    expect(refused.get_by_text("Wide" * 500)).to_be_visible()

    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The file was applied")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("2 people added, 0 changed, 0 marked as leavers.")).to_be_visible()
    with page.expect_download() as refused_lines:
        page.get_by_role("link", name="Refused lines", exact=True).click()
    assert refused_lines.value.suggested_filename == "refused-walk.csv"
    page.get_by_role("link", name="Open the people").click()
    page.get_by_role("searchbox", name="Search").fill("walk-")
    expect(page).to_have_url(re.compile("q=walk-"))  # the answer is here: nothing is under way when the server stops
    expect(page.locator("[data-row-count]")).to_contain_text("of 2")

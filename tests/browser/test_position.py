"""What an admin does with purchases, in a real browser: from a spreadsheet to a license position, and to mending it.

The same walk on the embedded demo, whose first team has a past of two months, and with PostgreSQL, Redis and separate
workers, where the team was connected a minute ago: what it used last month is not known there, and no page says 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests import migrated
from tests.browser import installations
from tests.browser.installations import Installation
from tests.browser.test_main_path import create_profile, get_token, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.own_database]
TO_RENEWAL = 60
RIGHTS, PRICE = 220, 174
HEADINGS = {
    "Publisher": "Manufacturer",
    "Product": "Title",
    "Edition": "Variant",
    "Purchased rights": "Pieces",
    "Start date": "Runs from",
    "End date": "Runs to",
    "Period": "Invoiced",
    "Unit cost": "Price each",
    "Currency": "Money",
}


@pytest.fixture(params=["embedded", "services"])
def place(request: Any, tmp_path: Path) -> Iterator[Installation]:
    if request.param == "embedded":
        with installations.embedded(tmp_path, with_story=True) as made:
            yield made
        return
    postgres, redis = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    with migrated.on_postgresql(postgres) as database, installations.services(tmp_path, database, redis) as made:
        yield made


def test_purchases_become_a_position_that_is_short_and_is_mended(
    page: Page, place: Installation, tmp_path: Path, request: Any
) -> None:
    has_past = "embedded" in request.node.name
    sign_in(page, place)
    create_profile(page)
    get_token(page)
    expect(page.locator("main [hx-trigger]")).to_have_count(0, timeout=120_000)

    import_purchases(page, write_purchases(tmp_path / "purchases.xlsx"))
    publish_the_draft(page)
    reconcile(page)
    missing = follow_it_to_the_people(page)
    purchase(page, missing)
    ask_for_last_month(page, has_past=has_past)
    read_the_renewal(page)
    find_it_on_home(page, place)
    find_it_in_core_ui(page, place)


def write_purchases(path: Path) -> Path:
    """The purchases as a buyer keeps them: none of the headings is one that the product knows."""
    today = timezone.localdate()
    with xlsxwriter.Workbook(path) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, list(HEADINGS.values()))
        sheet.write_row(1, 0, ["Dropbox", "Dropbox Business", "Full", RIGHTS])
        sheet.write_datetime(1, 4, today - timedelta(days=200), day)
        sheet.write_datetime(1, 5, today + timedelta(days=TO_RENEWAL), day)
        sheet.write_row(1, 6, ["Annually", PRICE, "EUR"])
    return path


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name=name, exact=True).click()


def import_purchases(page: Page, file: Path) -> None:
    go(page, "Entitlements")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("button", name="File").set_input_files(file)
    page.get_by_role("button", name="Upload and preview").click()
    expect(page.get_by_text("Columns to be chosen")).to_be_visible()
    for field, heading in HEADINGS.items():
        choices = page.get_by_label(re.compile(rf"^{field}( \\*)?$"))
        choices.select_option(choices.locator("option", has_text=re.compile(f"^{heading}:")).get_attribute("value"))
    page.get_by_role("button", name="Read the file with these columns").click()
    expect(page.locator("tbody tr")).to_contain_text(["Dropbox Business Full"])
    page.get_by_role("button", name="Import 1 as draft").click()
    expect(page.get_by_text("The entitlements are recorded as drafts")).to_be_visible()


def publish_the_draft(page: Page) -> None:
    page.get_by_role("link", name="Publish them in the list").click()
    page.get_by_label("Select all rows of this page").check()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("heading", name="Publish 1 entitlement?")).to_be_visible()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("1 entitlement was published.")).to_be_visible()


def reconcile(page: Page) -> None:
    """On demand; the page shows how far it is, and then the new results by itself."""
    go(page, "License position")
    page.get_by_role("link", name="Run reconciliation").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile(r"REC\d+ computes the position anew|Reconciled just now")).first).to_be_visible()
    expect(page.get_by_text("computes the position anew")).to_have_count(0, timeout=60_000)
    expect(page.get_by_text("Reconciled just now")).to_be_visible()


def open_metric(page: Page) -> None:
    """Publisher, product, software model, license metric."""
    main = page.locator("main")
    go(page, "License position")
    main.get_by_role("link", name="Dropbox", exact=True).first.click()
    main.get_by_role("link", name="Dropbox Business", exact=True).click()
    main.get_by_role("link", name="Dropbox Business Full", exact=True).click()
    main.get_by_role("link", name="User Subscription", exact=True).click()


def follow_it_to_the_people(page: Page) -> int:
    """From a product that is not compliant to its subscriptions, and why. How many rights are missing."""
    open_metric(page)
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("are missing")
    numbers = re.search(r"(\d+) rights are missing: (\d+) are used and (\d+) are owned", verdict.inner_text())
    assert numbers
    missing, used, owned = map(int, numbers.groups())
    assert missing == used - owned
    verdict.get_by_role("link", name="Which subscriptions").click()
    expect(page.locator("tbody tr")).to_have_count(missing)
    expect(page.locator("tbody tr").first).to_contain_text(re.compile(r"None left: no\. \d+ in line for \d+ rights"))
    page.go_back()
    return missing


def purchase(page: Page, missing: int) -> None:
    """The remedy opens a draft; published, it has the position of that software model computed anew at once."""
    remedy = page.locator(".remedies > *", has_text="Purchase rights")
    expect(remedy).to_contain_text(f"Purchase {missing} rights")
    remedy.get_by_role("link", name="Apply").click()
    page.get_by_role("button", name="Open a draft entitlement").click()
    expect(page.get_by_label("Purchased rights")).to_have_value(str(missing))
    page.get_by_label("Unit cost").fill(str(PRICE))
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_role("button", name="Save as a draft").click()
    page.get_by_role("link", name="Publish", exact=True).click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("In use").first).to_be_visible()
    open_metric(page)
    expect(page.locator(".verdict")).to_contain_text("Every subscription is covered", timeout=60_000)
    expect(page.locator("main")).to_contain_text(re.compile(r"\b0\s+available\s*=\s*\d+\s+owned\s*−\s*\d+\s+used"))


def ask_for_last_month(page: Page, *, has_past: bool) -> None:
    last_day = timezone.localdate().replace(day=1) - timedelta(days=1)
    go(page, "License position")
    page.get_by_label("As of").fill(last_day.isoformat())
    page.get_by_role("button", name="Show that day").click()
    page.get_by_role("button", name="Compute it").click()
    expect(page.get_by_text("Completed")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Not known on that day: ")).to_contain_text("Dropbox Europe")
    go(page, "License position")
    page.get_by_label("As of").fill(last_day.isoformat())
    page.get_by_role("button", name="Show that day").click()
    expect(page.get_by_text("There is no total for that day")).to_be_visible()
    page.locator("main").get_by_role("link", name="Dropbox", exact=True).first.click()
    sign = page.locator("tbody tr", has_text="Dropbox Sign")
    if has_past:
        expect(sign.locator("td[data-label=Used]")).to_have_text("14")


def read_the_renewal(page: Page) -> None:
    """What to renew with, and by when the vendor must know."""
    reduce_by = timezone.localdate() + timedelta(days=TO_RENEWAL + 1 - 30)
    go(page, "Renewals")
    row = page.locator("tbody tr", has_text=str(RIGHTS))
    expect(row).to_contain_text(f"{reduce_by.day} {reduce_by:%b %Y}")
    expect(row).to_contain_text("31 days left")


def find_it_on_home(page: Page, place: Installation) -> None:
    page.goto(place.url)
    equation = page.get_by_text(re.compile(r"owned \+ \d+ missing = ")).inner_text()
    owned, missing, in_use, *rest = map(
        int, re.findall(r"(\d+)(?= owned| missing| in use| reserved| not used)", equation)
    )
    assert owned + missing == in_use + sum(rest)


def find_it_in_core_ui(page: Page, place: Installation) -> None:
    page.goto(f"{place.url}/core/")
    page.get_by_role("link", name="License Workbench", exact=True).first.click()
    expect(
        page.get_by_role("link", name="Run Reconciliation").or_(page.get_by_role("button", name="Run Reconciliation"))
    ).to_be_visible()
    page.goto(f"{place.url}/core/subscriptions/entitlement/")
    expect(page.locator("#result_list tbody tr", has_text=str(RIGHTS)).first).to_be_visible()

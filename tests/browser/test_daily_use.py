"""A Monday in a real browser: a file of HR comes in, idle subscriptions of Sales are proposed, and a view stays."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from reclamation.models import RemovalCandidate
from subscriptions.models import Person, ResolutionRule
from tests import factories, worlds

pytestmark = [
    *(pytest.mark.browser, pytest.mark.own_database, pytest.mark.one_database),
    pytest.mark.django_db(transaction=True),
]
TEXT = "[data-selection-text]"
IDLE, BUSY = 30, 5
HEADINGS = "Personalnummer;Vorname;Nachname;Postfach;Abteilung"


@pytest.fixture
def team(monkeypatch: Any) -> Any:
    """A team whose first 31, thirty of them in Sales, were last active fifty days ago. All the time was read."""
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    now = timezone.now()
    made = factories.profile(display_name="Europe", refreshed_at=now, team_id="dbtid:1")
    kind = factories.identifier(software_model=factories.software_model(cost_override="120", currency="EUR"))
    factories.coverage(made, now - timedelta(days=100), now)
    for number in range(IDLE + BUSY):
        seat = factories.subscription(
            profile=made, identifier=kind, email=f"mail{number}@one.example", email_verified=True
        )
        factories.activity(seat, now - timedelta(days=50 if number <= IDLE else 1))
    ResolutionRule.objects.get_or_create(name="By address", defaults={"source": "email", "lookup": "address"})
    return made


def hr_file() -> dict[str, Any]:
    """As HR sends it: German headings, one of which nobody knows, and Anna Müller among thirty in Sales."""
    names = [("Anna", "Müller"), *((f"Vorname{number}", f"Nachname{number}") for number in range(1, IDLE + BUSY))]
    lines = [
        f"{number:04};{given};{surname};mail{number}@one.example;{'Vertrieb' if number < IDLE else 'Technik'}"
        for number, (given, surname) in enumerate(names)
    ]
    return {"name": "personal.csv", "mimeType": "text/csv", "buffer": "\n".join([HEADINGS, *lines]).encode()}


def sign_in(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()


def import_with_a_mapping(page: Page, url: str) -> None:
    """The worker's turns are taken here; each step then comes by itself on the page of the import."""
    page.goto(f"{url}/people/imports/")
    page.get_by_role("button", name="File").set_input_files([hr_file()])  # type: ignore[list-item]
    page.get_by_role("button", name="Upload and preview").click()
    expect(page).to_have_url(re.compile(r"imports/\d+/$"))
    worlds.work_on()
    page.get_by_role("link", name="Say what they are").click()
    chosen = page.get_by_label("E-mails")
    chosen.select_option(chosen.locator("option", has_text="Postfach").get_attribute("value"))
    page.get_by_role("button", name="Read the file with these columns").click()
    expect(page).to_have_url(re.compile(r"imports/\d+/$"))
    worlds.work_on()
    asked = page.get_by_role("heading", name="Apply this file?")
    expect(asked).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(asked).to_be_hidden()
    worlds.work_on()
    expect(page.get_by_text("The file was applied")).to_be_visible()


def find_without_the_accent(page: Page, url: str) -> None:
    page.goto(f"{url}/people/")
    page.get_by_role("searchbox", name="Search").fill("muller anna")
    expect(page.locator("[data-row-count]")).to_contain_text("of 1")
    expect(page.locator("tbody tr")).to_contain_text("Anna Müller")


def tick_idle_ones_of_sales_over_two_pages(page: Page, url: str) -> None:
    page.goto(f"{url}/subscriptions/?per_page=25")
    page.get_by_label("Idle for days").fill("45")
    expect(page.locator("[data-row-count]")).to_contain_text(f"1–25 of {IDLE + 1}")
    page.locator("summary", has_text="More filters").click()
    page.locator(".filters").get_by_label("Department").select_option("Vertrieb")
    expect(page.locator("[data-row-count]")).to_contain_text(f"1–25 of {IDLE}")
    page.locator("#tick-page").check()
    expect(page.locator(TEXT)).to_have_text("25 selected")
    page.locator("#page-on").click()
    expect(page.locator("[data-row-count]")).to_contain_text(f"26–{IDLE} of {IDLE}")
    page.locator("#tick-page").check()
    expect(page.locator(TEXT)).to_have_text(f"{IDLE} selected")


def export_them(page: Page) -> None:
    with page.expect_download() as workbook:
        page.get_by_role("button", name="Export Excel").click()
    rows = list(load_workbook(io.BytesIO(workbook.value.path().read_bytes())).active.values)  # type: ignore[union-attr]
    department = rows[0].index("Department")
    assert len(rows) == 1 + IDLE and {row[department] for row in rows[1:]} == {"Vertrieb"}


def propose_them_in_two_clicks(page: Page) -> None:
    page.get_by_role("button", name="Propose for removal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Propose {IDLE} subscriptions for removal?")
    expect(page.get_by_text("They cost EUR 3,600.00 a year.")).to_be_visible()
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text(f"{IDLE} candidates were opened. Nothing was removed.")).to_be_visible()


def save_the_view(page: Page, url: str) -> None:
    page.goto(f"{url}/subscriptions/?idle_days=45&department=Vertrieb")
    page.locator("summary", has_text="Views").click()
    page.get_by_label("Save what is shown as").fill("Idle in Sales")
    page.get_by_label("Share with everybody").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.locator("summary", has_text="View: Idle in Sales")).to_be_visible()


def test_a_monday_from_the_file_of_hr_to_proposals_and_a_view_that_a_colleague_opens(
    page: Page, browser: Browser, live_server: Any, account: Any, team: Any
) -> None:
    account("sam_admin", username="maria")
    account("sam_user", username="noah")
    sign_in(page, live_server.url, "maria")
    import_with_a_mapping(page, live_server.url)
    assert Person.objects.filter(name="Anna Müller", department="Vertrieb").exists()
    find_without_the_accent(page, live_server.url)
    tick_idle_ones_of_sales_over_two_pages(page, live_server.url)
    export_them(page)
    propose_them_in_two_clicks(page)
    assert RemovalCandidate.objects.open().filter(opened_by__username="maria").count() == IDLE
    save_the_view(page, live_server.url)

    context = browser.new_context(locale="en-US")
    colleague = context.new_page()
    sign_in(colleague, live_server.url, "noah")
    colleague.goto(f"{live_server.url}/subscriptions/")
    colleague.locator("summary", has_text="Views").click()
    colleague.get_by_role("link", name=re.compile("Idle in Sales")).click()
    expect(colleague.locator("[data-row-count]")).to_contain_text(f"of {IDLE}")
    context.close()

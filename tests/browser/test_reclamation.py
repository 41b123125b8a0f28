"""The part users fear, in a real browser: idle subscriptions are found, asked about, removed, and one comes back.

The same walk on the embedded demo, whose clock is moved and whose mails stay in the outbox, and with PostgreSQL, Redis,
separate workers and a real mail server. There the time to answer is over because the question is made older.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import mail_server, migrated
from tests.browser import installations
from tests.browser.installations import Installation
from tests.browser.test_main_path import create_profile, get_token, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.own_database]
PATIENCE = 150_000  # a sweep comes once a minute
# The days to answer begin when a sweep has seen that the mails were sent.
OLDER = """
import time
from datetime import timedelta
from django.db.models import F
from reclamation.models import Notice, RemovalCandidate
asked = RemovalCandidate.objects.filter(state="awaiting_user")
until = time.monotonic() + 150
while asked.filter(deadline=None).exists() and time.monotonic() < until:
    time.sleep(1)
days = timedelta(days=8)
Notice.objects.filter(expires_at__isnull=False).update(expires_at=F("expires_at") - days)
asked.update(deadline=F("deadline") - days)
"""


@dataclass
class Walk:
    """An installation, and the two things that differ between its kinds: how mails arrive and how time passes."""

    page: Page
    installation: Installation
    mails: mail_server.MailServer | None = None

    def open(self, path: str) -> None:
        self.page.goto(f"{self.installation.url}{path}")

    def wait_for(self, path: str, rows: str, count: int) -> None:
        """Reload a list until it has so many rows with these words."""
        found = self.page.locator("tbody tr", has_text=rows)
        for _ in range(PATIENCE // 1000):
            self.open(path)
            if found.count() == count:
                return
            self.page.wait_for_timeout(1000)
        expect(found).to_have_count(count)

    def link_of(self, address: str) -> str:
        """The link that this user was sent."""
        if self.mails is None:
            self.open(f"/outbox/?q={address}")
            self.page.locator("tbody a").first.click()
            link = self.page.get_by_role("link", name="Open the link as its user").get_attribute("href")
            assert link
            return link
        mine = [number for number, sent in enumerate(self.mails.envelopes) if sent[1] == [address]]
        found = re.search(r"http\S+/keep/\S+", self.mails.text_of(mine[0]))
        assert found
        return found[0]

    def let_the_time_to_answer_pass(self) -> None:
        if self.mails is not None:
            self.installation.manage("shell", "-c", OLDER)
            return
        for refreshes, step in ((2, "A week later"), (3, "A day later")):
            self.page.get_by_role("button", name=step).click()
            expect(self.page.get_by_text(re.compile(r"It is .* now\."))).to_be_visible()
            self.wait_for("/runs/?state=succeeded", "Find candidates", refreshes)


@pytest.fixture(params=["embedded", "services"])
def walk(request: Any, page: Page, tmp_path: Path) -> Iterator[Walk]:
    if request.param == "embedded":
        with installations.embedded(tmp_path) as made:
            yield Walk(page, made)
        return
    postgres, redis = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    with mail_server.run() as mails, migrated.on_postgresql(postgres) as database:
        mail = {"EMAIL_URL": f"smtp://127.0.0.1:{mails.port}", "MAIL_FROM": "licenses@samsaas.example"}
        with installations.services(tmp_path, database, redis, MAIL_ANY_HOUR="true", **mail) as made:
            yield Walk(page, made, mails)


def test_idle_subscriptions_are_asked_about_removed_and_restored(walk: Walk, tmp_path: Path) -> None:
    page = walk.page
    sign_in(page, walk.installation)
    create_profile(page)
    get_token(page)
    walk.wait_for("/runs/?state=succeeded", "Find candidates", 1)
    review_the_rule(walk)
    read_why_and_why_not(walk)

    tick_six(walk)
    reclaim_the_ticked(walk)
    walk.wait_for("/outbox/?state=sent", "Question", 6)
    keeper, *others = addresses(page)
    keep(page.context, walk.link_of(keeper))
    let_them_keep_it(walk)

    walk.let_the_time_to_answer_pass()
    walk.wait_for("/removals/", "Removed, can be undone", 5)
    expect(page.locator("tbody tr").first).to_contain_text(re.compile(r"[67]\b"))
    restore(walk, others[0])
    move_files_of(walk, others[1])
    walk.open("/savings/")
    expect(page.locator(".equation")).to_contain_text("5 freed − 1 gone back = 0 saved + 4 pending + 0 lapsed")
    walk.open("/savings/entries/")
    expect(page.locator("tbody tr", has_text="Freed")).to_have_count(5)
    expect(page.locator("tbody tr", has_text="Restored")).to_have_count(1)
    verify_the_evidence(walk, others[1], tmp_path)
    verify_the_audit(walk)


def review_the_rule(walk: Walk) -> None:
    """Nobody is asked before somebody has read the rule and stands for it."""
    page = walk.page
    walk.open("/reclamation-rules/")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name=re.compile("review", re.IGNORECASE)).first.click()
    page.get_by_label("The files go to the right account").check()
    page.get_by_label("None of these accounts is under a legal hold").check()
    page.get_by_role("button", name="Confirm review").click()
    expect(page.get_by_text("was confirmed. It may ask people")).to_be_visible()


def read_why_and_why_not(walk: Walk) -> None:
    walk.open("/reasons/")
    walk.page.locator("main tbody a").first.click()
    said = walk.page.locator(".equation").first.inner_text()
    total, *parts = (int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", said))
    assert total == sum(parts) == 248


def tick_six(walk: Walk) -> None:
    walk.open("/removal-candidates/?reason=never_active")
    for number in range(6):
        walk.page.locator("tbody [data-tick]").nth(number).check()


def reclaim_the_ticked(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("button", name="Reclaim").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reclaim 6 subscriptions?")
    page.get_by_label(re.compile("legal hold")).check()
    page.get_by_role("button", name="Reclaim", exact=True).click()
    expect(page.get_by_text("goes on with 6 subscriptions")).to_be_visible()
    expect(page.locator("tbody tr", has_text="Awaiting User")).to_have_count(6)


def addresses(page: Page) -> list[str]:
    """To whom the questions went, from the outbox that is open; the administrators' notifications are no questions."""
    questions = page.locator("tbody tr", has_text="Question")
    expect(questions).to_have_count(6)
    found = [re.search(r"\S+@\S+", row.replace("\n@", "@")) for row in questions.all_inner_texts()]
    return [one[0] for one in found if one]


def keep(context: BrowserContext, link: str) -> None:
    """As the user, who has no account here: somebody else's browser."""
    assert context.browser
    theirs = context.browser.new_context()
    page = theirs.new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="Keep your subscription?")).to_be_visible()
    page.get_by_label("Why do you need it?").fill("The audit in January")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="Your answer was received")).to_be_visible()
    theirs.close()


def let_them_keep_it(walk: Walk) -> None:
    page = walk.page
    walk.open("/approvals/")
    page.locator("tbody a").first.click()
    expect(page.get_by_text("The audit in January")).to_be_visible()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Decide").click()
    walk.open("/removal-candidates/?state=closed_skipped")
    expect(page.locator("tbody tr")).to_have_count(1)


def open_removal_of(walk: Walk, address: str) -> None:
    walk.open(f"/removals/?q={address}")
    walk.page.locator("tbody a").first.click()
    expect(walk.page.get_by_text("Removed, can be undone").first).to_be_visible()


def restore(walk: Walk, address: str) -> None:
    page = walk.page
    open_removal_of(walk, address)
    page.get_by_role("link", name="Restore").click()
    page.get_by_role("button", name="Restore").click()
    walk.wait_for("/removals/?state=restored", "Restored", 1)
    walk.open(f"/subscriptions/?q={address}")
    expect(page.locator("tbody tr", has_text="Active")).to_have_count(1)


def move_files_of(walk: Walk, address: str) -> None:
    page = walk.page
    open_removal_of(walk, address)
    page.get_by_role("link", name="Move files now").click()
    expect(page.get_by_text("cannot be restored any more")).to_be_visible()
    page.get_by_role("button", name="Move files now").click()
    under_way = page.locator("tbody tr", has_text=re.compile("Files are being moved|Done"))
    for _ in range(PATIENCE // 1000):
        walk.open(f"/removals/?state=&q={address}")
        if under_way.count():
            return
        page.wait_for_timeout(1000)
    expect(under_way).to_have_count(1)


def verify_the_evidence(walk: Walk, address: str, folder: Path) -> None:
    """One signed file for each removal, which can be checked without the installation's database."""
    page = walk.page
    walk.open(f"/removal-candidates/?state=&q={address}")
    page.locator("tbody a").first.click()
    with page.expect_download() as began:
        page.get_by_role("link", name="Evidence file").click()
    file = folder / "evidence.zip"
    began.value.save_as(file)
    walk.open("/audit/")
    key = page.locator("[data-copy^=samsaas-public]").get_attribute("data-copy")
    assert key
    said = walk.installation.manage("verify_evidence", str(file), "--key", key)
    assert "all 26 guards passed" in said and "which is the one you named" in said


def verify_the_audit(walk: Walk) -> None:
    page = walk.page
    walk.open("/audit/")
    page.get_by_role("button", name=re.compile("Verify")).first.click()
    walk.wait_for("/runs/?state=succeeded&q=", "Verify", 1)

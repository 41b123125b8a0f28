"""A company's front door from end to end: invited by mail, signed on, told of a failed refresh, and served by the API.

Everything outside of the product is a real server of the test: mail, identity provider, vendor, and a chat's webhook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from standardwebhooks.webhooks import Webhook as Verifier

from profiles.connectors.dropbox.sandbox import Fault
from tests import mail_server
from tests.browser import installations
from tests.browser.installations import Installation
from tests.browser.test_main_path import create_profile, get_token
from tests.faults.tenant import LIST
from tests.samsaas.accounts import identity_provider
from tests.samsaas.accounts.factors import code_of
from tests.samsaas.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, START, Directory
from tests.samsaas.events.events_world import HOST, Receiver, receiver

pytestmark = [pytest.mark.browser, pytest.mark.own_database]
EVE = "eve@example.com"
PATIENCE = 200_000  # what is told of once a minute is mailed once a minute


@dataclass
class Company:
    """The installation, the administrator's browser, and what the company has besides."""

    page: Page
    made: Installation
    mails: mail_server.MailServer
    directory: Directory
    chat: Receiver

    def wait_for(self, found: Callable[[], Any]) -> Any:
        """What a condition gives when it is true."""
        for _ in range(PATIENCE // 500):
            if answer := found():
                return answer
            self.page.wait_for_timeout(500)
        raise AssertionError(f"{[str(mail['Subject']) for mail in self.mails.received]}\n{self.made.logs()}")

    def wait_for_row(self, path: str, words: str) -> None:
        def reload() -> bool:
            self.page.goto(f"{self.made.url}{path}")
            return self.page.locator("tbody tr", has_text=words).count() > 0

        self.wait_for(reload)

    def link_in_mail(self, path: str, *, beside: str = "") -> str:
        """The link to such a page in a mail to the colleague that says so."""

        def find() -> str:
            sent = range(len(self.mails.received))
            texts = (self.mails.text_of(one) for one in sent if self.mails.envelopes[one][1] == [EVE])
            found = (re.search(rf"http\S+{path}\S+", text) for text in texts if beside in text)
            return next((one[0] for one in found if one), "")

        return str(self.wait_for(find))


@pytest.fixture
def company(page: Page, tmp_path: Path) -> Iterator[Company]:
    with ExitStack() as stack:
        mails, chat = stack.enter_context(mail_server.run()), stack.enter_context(receiver())
        directory = stack.enter_context(identity_provider.running())
        made = stack.enter_context(
            installations.one_process(
                tmp_path,
                EMAIL_URL=f"smtp://127.0.0.1:{mails.port}",
                MAIL_FROM="licenses@samsaas.example",
                MAIL_ANY_HOUR="true",
                WEBHOOK_HOSTS_INSIDE=HOST,
                OIDC_SERVER_URL=directory.address,
                OIDC_CLIENT_ID=CLIENT_ID,
                OIDC_CLIENT_SECRET=CLIENT_SECRET,
                OIDC_GROUP_ROLES="it-software=sam_admin,it-systems=sam_integrator",
                SECOND_FACTOR_ROLES="sam_admin",
            )
        )
        directory.callback = f"{made.url}{START}back/"
        yield Company(page, made, mails, directory, chat)


@pytest.fixture
def anothers_browser(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Browsers of somebody else, without a session."""
    opened: list[BrowserContext] = []

    def open_one() -> Page:
        opened.append(browser.new_context(locale="en-US"))
        opened[-1].set_default_timeout(30_000)
        return opened[-1].new_page()

    yield open_one
    for one in opened:
        one.close()


def test_from_the_invitation_to_a_failed_refresh_and_a_reclaim_that_waits(
    company: Company, anothers_browser: Callable[[], Page]
) -> None:
    sign_in_as_administrator(company)
    create_profile(company.page)
    get_token(company.page)
    secret = make_webhook(company)
    invite(company)
    company.wait_for_row("/runs/?state=succeeded", "Find candidates")
    company.wait_for_row("/notifications/", "new removal candidate")

    code = accept_the_invitation(company, anothers_browser())
    let_the_refresh_fail(company)
    eve = anothers_browser()
    follow_the_mail_to_the_run(company, eve, code)
    look_into_the_chat(company, secret)
    look_at_the_batch(company, eve, script_reads_and_requests(company, make_token(company, eve)))


def sign_in_as_administrator(company: Company) -> None:
    """The first account, with its password; its role needs a second factor here as everybody's does."""
    page = company.page
    page.goto(company.made.url)
    page.get_by_label("Username").fill(company.made.username)
    page.get_by_label("Password").fill(company.made.password)
    page.get_by_role("button", name="Sign in").click()
    set_up_an_app(page)
    page.get_by_role("link", name="Go to the start page").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()


def set_up_an_app(page: Page) -> str:
    """Where an account that needs a second factor is led to. Gives one of the recovery codes."""
    expect(page.get_by_text("Your role needs a second factor")).to_be_visible()
    page.get_by_role("link", name="Set up an app").click()
    key = page.locator("form code").inner_text()
    page.get_by_label("code").fill(code_of(key))
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("Store them now")).to_be_visible()
    return page.locator("li code").first.inner_text()


def make_webhook(company: Company) -> str:
    """The administrator's webhook; gives the secret that is shown once."""
    page = company.page
    page.goto(f"{company.made.url}/webhooks/new/")
    page.get_by_label("Name").fill("Operations chat")
    page.get_by_label("Address").fill(company.chat.url)
    page.get_by_label("A run failed").check()
    page.get_by_role("button", name="Save").click()
    told = page.get_by_text("Give this secret to the receiver now").inner_text()
    found = re.search(r"whsec_\S+", told)
    assert found, told
    return found[0]


def invite(company: Company) -> None:
    page = company.page
    page.goto(f"{company.made.url}/accounts/invitations/new/")
    page.get_by_label("E-mail address").fill(EVE)
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invitation")


def sign_on(page: Page) -> None:
    """At the provider, as a person of the company's directory."""
    page.get_by_role("link", name="Single sign-on").click()
    page.locator("input[name=sub]").fill("s1")
    page.get_by_role("button", name="Sign in").click()


def accept_the_invitation(company: Company, eve: Page) -> str:
    """By the link of the mail to the provider and back, with the roles of the groups. No page opens before the second
    factor is set up. Gives one of the recovery codes."""
    person = {"preferred_username": "eve", "email": EVE, "email_verified": True}
    company.directory.put("s1", **person, groups=["it-software", "it-systems"])
    eve.goto(company.link_in_mail("/accounts/welcome/"))
    sign_on(eve)
    expect(eve.get_by_text("Your role needs a second factor")).to_be_visible()
    eve.goto(f"{company.made.url}/runs/")
    return set_up_an_app(eve)


def let_the_refresh_fail(company: Company) -> None:
    """The vendor refuses, and what the beat does every minute is done now: it has sent the invitation by itself."""
    assert company.made.sandbox
    company.made.sandbox.faults.add(LIST, None, Fault(status=400, body="Error in call: not understood"))
    company.page.goto(f"{company.made.url}/integration-profiles/")
    company.page.get_by_role("link", name="Dropbox Europe").first.click()
    company.page.get_by_role("button", name="Download subscriptions").click()
    company.wait_for_row("/runs/?state=failed", "Download subscriptions")
    company.made.manage("shell", "-c", "from samsaas import schedule; schedule.tell_of_events(); schedule.send_mails()")


def follow_the_mail_to_the_run(company: Company, eve: Page, code: str) -> None:
    """In a browser that knows nobody: the link leads through provider and second factor to the run."""
    link = company.link_in_mail("/runs/", beside="Download subscriptions of Dropbox Europe failed")
    eve.goto(link)
    sign_on(eve)
    expect(eve.get_by_text("One more step")).to_be_visible()
    eve.get_by_label("code").fill(code)
    eve.get_by_role("button", name="Continue").click()
    expect(eve).to_have_url(link)
    expect(eve.get_by_role("heading", level=1)).to_contain_text("Download subscriptions")
    expect(eve.get_by_text("Failed").first).to_be_visible()


def look_into_the_chat(company: Company, secret: str) -> None:
    """The same event arrived, and verifies as docs/notifications.md says."""
    headers, body = company.wait_for(lambda: company.chat.got and company.chat.got[0])
    event: Any = Verifier(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert event["type"] == "run.failed"
    assert event["data"]["title"] == "Download subscriptions of Dropbox Europe failed"
    assert event["data"]["url"].startswith(f"{company.made.url}/runs/")


def make_token(company: Company, eve: Page) -> str:
    eve.goto(f"{company.made.url}/api-tokens/new/")
    eve.get_by_label("Name").fill("Nightly script")
    eve.get_by_label("Role").select_option("sam_admin")
    eve.get_by_label("Valid until").fill((timezone.now() + timedelta(days=7)).date().isoformat())
    eve.get_by_role("button", name="Make the token").click()
    return eve.locator("[data-copy-source]").inner_text()


def script_reads_and_requests(company: Company, token: str) -> int:
    """What a program of the company does with nothing but the token; gives the batch that it asked for."""

    bearer = {"Authorization": f"Bearer {token}"}

    def call(method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{company.made.url}{path}", json=body, headers=bearer, timeout=60)

    run = call("POST", "/api/v1/reconciliations", {}).json()
    company.wait_for(lambda: call("GET", f"/api/v1/reconciliations/{run['id']}").json()["state"] == "completed")
    position = call("GET", "/api/v1/metric-results").json()["results"]
    assert sum(one["in_use"] for one in position) > 200 and {one["run"] for one in position} == {run["id"]}
    candidates = call("GET", "/api/v1/candidates?state=ready&limit=2").json()["results"]
    order = {"candidates": [one["id"] for one in candidates], "legal_hold": True, "evidence": True}
    made = call("POST", "/api/v1/batches", order)
    assert (made.status_code, made.json()["state"], made.json()["size"]) == (201, "quarantined", 2)
    number = int(made.json()["id"])
    for method, path in (("PATCH", ""), ("POST", "/approve"), ("POST", "/decide")):
        assert call(method, f"/api/v1/batches/{number}{path}", {"approve": "yes"}).status_code in (404, 405)
    button = f"{company.made.url}/removal-batches/{number}/decide/"
    pressed = requests.post(button, {"approve": "yes"}, headers=bearer, timeout=60, allow_redirects=False)
    assert pressed.headers["Location"].startswith("/accounts/login/"), "a token opens no page"
    assert call("GET", f"/api/v1/batches/{number}").json()["state"] == "quarantined"
    return number


def look_at_the_batch(company: Company, eve: Page, batch: int) -> None:
    """It waits for somebody else than the account of the token."""
    path = f"{company.made.url}/removal-batches/{batch}/"
    eve.goto(path)
    expect(eve.get_by_text("Another person has to decide")).to_be_visible()
    expect(eve.get_by_role("button", name="Approve")).to_have_count(0)
    company.page.goto(path)
    expect(company.page.get_by_role("button", name="Approve")).to_be_visible()

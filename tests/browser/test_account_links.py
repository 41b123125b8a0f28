"""The links of mails about an account in a real browser, whose forms say from which site they come."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from samsaas.accounts import invite, reset_password
from tests.samsaas.accounts.mailbox import newest_link

pytestmark = [
    *(pytest.mark.browser, pytest.mark.own_database, pytest.mark.one_database),
    pytest.mark.django_db(transaction=True),
]
COLLEAGUE, FIRST, SECOND = "eve@example.com", "nine purple herons 44", "seven green otters 51"


def test_a_colleague_chooses_a_password_loses_it_and_sets_a_new_one(page: Page, live_server: Any, account: Any) -> None:
    invite.run(COLLEAGUE, COLLEAGUE, ["sam_user"], by=account("admin"), now=timezone.now())
    page.goto(f"{live_server.url}{newest_link(COLLEAGUE)}")
    choose(page, FIRST)
    expect(page.get_by_text("Your account is ready.")).to_be_visible()
    assert User.objects.get(username=COLLEAGUE).check_password(FIRST)
    page.goto(f"{live_server.url}/accounts/lost-password/")
    page.get_by_label("E-mail address").fill(COLLEAGUE)
    page.get_by_role("button", name="Send me the link").click()
    expect(page).to_have_url(f"{live_server.url}/accounts/lost-password/sent/")
    reset_password.answer_requests(timezone.now())
    page.goto(f"{live_server.url}{newest_link(COLLEAGUE)}")
    choose(page, SECOND)
    expect(page).to_have_url(f"{live_server.url}/accounts/login/")
    page.get_by_label("Username").fill(COLLEAGUE)
    page.get_by_label("Password").fill(SECOND)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()


def choose(page: Page, password: str) -> None:
    """Type the password into both fields and send the form."""
    fields = page.locator("input[type=password]")
    for number in range(2):
        fields.nth(number).fill(password)
    page.locator("main form button[type=submit]").click()

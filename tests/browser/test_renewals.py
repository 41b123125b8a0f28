"""Renewals, savings and vendor drift in a real browser: light, dark and on a phone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from profiles.models import IntegrationProfile
from reclamation.removal import sweep
from reclamation.savings import ledger
from reclamation.states import State
from subscriptions.entitlements import edit
from subscriptions.models import Entitlement
from subscriptions.renewals import remind
from tests import factories
from tests.browser import looks
from tests.subscriptions.entitlements.owned_world import day
from tests.subscriptions.renewals.renewal_world import ending, reconcile, use, worked_example

pytestmark = [pytest.mark.browser, pytest.mark.own_database, pytest.mark.django_db(transaction=True)]
LOOKS = (("light", 1280), ("dark", 1280), ("light", 380))


@pytest.fixture
def keeper(live_server: Any, monkeypatch: Any, db: None) -> User:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    user = User.objects.create_user("keeper", "keeper@example.com", "a long password")
    user.groups.add(Group.objects.get(name="sam_user"))
    return user


@pytest.fixture
def walk(page: Page, live_server: Any, keeper: User) -> Page:
    page.goto(live_server.url)
    page.get_by_label("Username").fill("keeper")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    return page


def make_company(by: User) -> Entitlement:
    """Two renewals to decide, one that is over, freed and saved subscriptions, and a vendor that counts otherwise."""
    one = worked_example(by)
    for edition, in_days, fields in (
        ("Auto", -3, {"auto_renew": True}),
        ("Late", 12, {"currency": "EUR"}),
        ("Unlimited", 40, {"purchased_rights": 0, "unlimited": True, "unit_cost": None, "currency": ""}),
    ):
        model = factories.software_model(product="Files", edition=edition)
        use(model, 8)
        ending(by, in_days, model, **fields)
    profile = factories.profile(display_name="Dropbox Europe")
    identifier = factories.identifier(software_model=one.software_model)
    for place in range(6):
        now = timezone.now()
        seat = factories.subscription(profile=profile, identifier=identifier, ended_at=now, freed_at=now)
        known = {"state": State.CLOSED_COMPLETE, "software_model": str(one.software_model)}
        freed = factories.candidate(seat, **known)
        ledger.add(freed, ledger.Kind.FREED, on=day(-25 * place))
    ledger.add(freed, ledger.Kind.RETURNED, on=day(-20))
    before = ending(by, 90, one.software_model, start=day(-300), purchased_rights=12)
    smaller = edit.draft_renewal(before, recommended=10)
    smaller.start, smaller.end = day(-30), day(300)
    edit.publish(edit.save_draft(smaller, by=by, now=timezone.now()), by=by, now=timezone.now())
    sweep.run(timezone.now())
    IntegrationProfile.objects.update(seats_used_reported=85, licenses_reported=120)
    reconcile()
    remind.run(timezone.now() + timedelta(days=13))
    return one


def test_every_page_passes_the_accessibility_rules_and_fits(walk: Page, live_server: Any, keeper: User) -> None:
    one = make_company(keeper)
    addresses = (
        "/renewals/",
        f"/renewals/?view=month&month={day(43):%Y-%m}",
        f"/renewals/{one.pk}/",
        "/savings/",
        "/savings/?by=month",
        "/savings/entries/",
        "/vendor-drift/",
    )
    assert looks.faults(walk, [live_server.url + address for address in addresses], LOOKS) == []


def test_from_the_list_to_what_was_asked_of_the_vendor(walk: Page, live_server: Any, keeper: User) -> None:
    """Reads what to give back and until when, notes that it was asked for, and finds it again in the list."""
    one = worked_example(keeper)
    walk.get_by_role("link", name="Renewals").click()
    row = walk.locator("tbody tr", has_text=one.number)
    expect(row).to_contain_text("−19")
    row.get_by_role("link", name=one.number).click()
    expect(walk.locator("#how")).to_contain_text("Renew with 81 rights, 19 fewer than the 100 of today.")
    expect(walk.get_by_label("Renew with")).to_have_value("81")
    walk.get_by_role("button", name="Reduction asked for").click()
    expect(walk.get_by_text("No further reminder")).to_be_visible()
    walk.goto(f"{live_server.url}/renewals/?urgency=asked")
    expect(walk.locator("tbody tr", has_text=one.number)).to_contain_text("to 81")


def test_on_a_phone_the_month_is_a_list_of_its_days(walk: Page, live_server: Any, keeper: User) -> None:
    one = worked_example(keeper)
    by = day(43)
    walk.set_viewport_size({"width": 380, "height": 900})
    walk.goto(f"{live_server.url}/renewals/?view=month&month={by:%Y-%m}")
    expect(walk.get_by_text(f"{by.day} {by:%B %Y}", exact=True)).to_be_visible()
    expect(walk.locator(".month-free").first).to_be_hidden()
    walk.get_by_role("link", name="Reduce by").click()
    expect(walk.get_by_role("heading", name=f"Renewal of {one.number}")).to_be_visible()

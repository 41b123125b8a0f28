"""Remedies: previewed, applied from the page, and the position follows at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from samsaas.models import AuditEntry
from subscriptions.entitlements import allocate, edit
from subscriptions.models import Allocation, Entitlement, ReconciliationRun, RemediationOption
from tests import factories, pages, worlds
from tests.subscriptions.usage.usage_world import Company

pytestmark = pytest.mark.django_db
State, Kind = RemediationOption.State, RemediationOption.Kind


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def company() -> Company:
    made = Company()
    made.reconcile()
    return made


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def option_of(company: Company, kind: str) -> RemediationOption:
    return RemediationOption.objects.get(metric_result=company.metric(company.full), kind=kind)


def url_of(option: RemediationOption) -> str:
    return f"/remedies/{option.pk}/"


def position_url(company: Company) -> str:
    return f"/software-models/{company.full.pk}/position/"


def test_they_stand_cheapest_first_with_what_they_cost(keeper: Any, company: Company) -> None:
    seat = company.seats[company.full.pk][3]
    factories.candidate(seat)
    company.reconcile()
    page = keeper.get(position_url(company)).content.decode()
    names = re.findall(r"<li>\s*<div>\s*<strong>(.*?)</strong>", page)
    assert names == ["Remove allocations", "Reclaim subscriptions", "Purchase rights", "Create allocations"]
    until = timezone.localdate() + timedelta(days=99)
    text = pages.text_of(page)
    assert f"Costs USD 240.00 a year, USD 65.75 until {until:%-d %b %Y}." in text, "2 × 120 × 100 ÷ 365"
    assert text.count("Costs nothing.") == 3


def test_rights_of_a_leaver_are_taken_back_and_one_subscription_more_is_covered(keeper: Any, company: Company) -> None:
    option = option_of(company, Kind.REMOVE_ALLOCATIONS)
    page = told(keeper.get(url_of(option)))
    assert "Gone Girl" in page and "Left the company" in page and "1 of 1" in page
    answer = keeper.post(url_of(option), {"row": [company.held.pk]}, follow=True)
    assert "1 right was taken back. The position is being computed anew." in told(answer)
    assert "REC" in told(answer), "the run under way"
    company.held.refresh_from_db()
    assert company.held.released_on == timezone.localdate()
    option.refresh_from_db()
    assert (option.state, option.applied_by) == (State.COMPLETE, keeper.user)
    assert AuditEntry.objects.filter(verb="applied remedy", actor_name=keeper.user.username).exists()
    worlds.work()
    metric = company.metric(company.full)
    assert (metric.needed, metric.used) == (1, 4)
    page = told(keeper.get(position_url(company)))
    assert "1 right is missing: 4 are used and 3 are owned." in page
    assert "Applied lately" in page and "Remove allocations" in page


def test_only_what_is_ticked_is_changed(keeper: Any, company: Company) -> None:
    other = factories.person(name="Idle Ike")
    held = company.allocate_to(other)
    company.reconcile()
    option = option_of(company, Kind.REMOVE_ALLOCATIONS)
    nothing = keeper.post(url_of(option), {}, follow=True)
    assert "Nobody is ticked" in told(nothing)
    keeper.post(url_of(option), {"row": [held.pk, "x", "-1", "99999999999999999999"]})
    held.refresh_from_db()
    company.held.refresh_from_db()
    assert held.released_on and company.held.released_on is None


def test_of_two_rights_only_the_one_that_is_not_in_use_is_taken_back(keeper: Any, company: Company) -> None:
    person = company.people[0]
    held = allocate.assign(company.full_rights, person, 2, on=timezone.localdate() - timedelta(days=5), by=None)
    company.reconcile()
    option = option_of(company, Kind.REMOVE_ALLOCATIONS)
    keeper.post(url_of(option), {"row": [held.pk]})
    (left,) = Allocation.objects.open().filter(person=person)
    assert (left.quantity, left.source) == (1, "create_allocations")
    worlds.work()
    assert company.metric(company.full).allocated == 2


def test_what_is_used_meanwhile_is_kept_and_the_remedy_says_so(keeper: Any, company: Company) -> None:
    option = option_of(company, Kind.REMOVE_ALLOCATIONS)
    (seat,) = company.fill(company.full, 1)
    factories.match(seat, company.gone)
    answer = keeper.post(url_of(option), {"row": [company.held.pk]}, follow=True)
    assert "1 could not be: an allocation is in use meanwhile, or was released already" in told(answer)
    option.refresh_from_db()
    assert option.state == State.COMPLETED_WITH_ERRORS and "could not be" in option.note
    company.held.refresh_from_db()
    assert company.held.released_on is None


def test_purchase_opens_a_draft_with_what_is_missing_and_publishing_it_mends_the_position(
    keeper: Any, company: Company
) -> None:
    option = option_of(company, Kind.PURCHASE)
    answer = keeper.post(url_of(option), follow=True)
    draft = Entitlement.objects.get(state="build")
    assert answer.redirect_chain[-1][0] == f"/entitlements/{draft.pk}/edit/"
    assert (draft.purchased_rights, draft.software_model, draft.end) == (2, company.full, company.full_rights.end)
    assert (draft.start, draft.unit_cost, draft.total_cost) == (timezone.localdate(), None, None)
    again = keeper.post(url_of(option), follow=True)
    assert again.redirect_chain[-1][0] == f"/entitlements/{draft.pk}/edit/" and Entitlement.objects.count() == 3
    page = told(keeper.get(position_url(company)))
    assert draft.number in page and "In progress" in page
    edit.publish(draft, by=keeper.user, now=timezone.now())
    option.refresh_from_db()
    assert (option.state, option.reference) == (State.COMPLETE, draft.number)
    worlds.work()
    metric = company.metric(company.full)
    assert (metric.owned, metric.needed, metric.status) == (5, 0, "compliant")


def test_a_draft_that_is_deleted_gives_the_purchase_back(keeper: Any, company: Company) -> None:
    option = option_of(company, Kind.PURCHASE)
    keeper.post(url_of(option))
    edit.delete_draft(Entitlement.objects.get(state="build"), by=keeper.user)
    option.refresh_from_db()
    assert (option.state, option.reference, option.applied_at) == (State.NEW, "", None)


def test_another_entitlement_that_is_published_voids_the_purchase(keeper: Any, company: Company) -> None:
    option = option_of(company, Kind.PURCHASE)
    bought = Entitlement(software_model=company.full, purchased_rights=9, start=timezone.localdate())
    edit.publish(edit.save_draft(bought, by=keeper.user, now=timezone.now()), by=keeper.user, now=timezone.now())
    option.refresh_from_db()
    assert option.state == State.VOID
    answer = keeper.post(url_of(option), follow=True)
    assert "older than the position that stands now" in told(answer)


def test_reclaim_leads_to_exactly_the_candidates_of_the_model(keeper: Any, company: Company) -> None:
    factories.candidate(company.seats[company.full.pk][0])
    factories.candidate(company.seats[company.lite.pk][0])
    company.reconcile()
    option = option_of(company, Kind.RECLAIM)
    answer = keeper.post(url_of(option), follow=True)
    assert pages.rows_behind(keeper, answer.redirect_chain[-1][0]) == 1
    option.refresh_from_db()
    assert option.state == State.IN_PROGRESS


def test_allocating_to_those_who_use_it_changes_no_compliance_and_voids_the_removal(
    keeper: Any, company: Company
) -> None:
    option = option_of(company, Kind.CREATE_ALLOCATIONS)
    removal = option_of(company, Kind.REMOVE_ALLOCATIONS)
    page = told(keeper.get(url_of(option)))
    assert "Ada 1" in page and "Ada 3" in page and "No user" not in page
    before = company.metric(company.full)
    keeper.post(url_of(option), {"row": [person.pk for person in company.people]})
    held = Allocation.objects.open().filter(source="create_allocations")
    assert held.count() == 2, "two rights were free"
    option.refresh_from_db()
    removal.refresh_from_db()
    assert (option.state, removal.state) == (State.COMPLETED_WITH_ERRORS, State.VOID)
    assert "no right is free" in option.note
    worlds.work()
    after = company.metric(company.full)
    assert (after.needed, after.used) == (before.needed, before.used)
    assert (after.allocated, after.allocated_in_use) == (3, 2)


def test_a_remedy_of_older_results_is_not_applied(keeper: Any, company: Company) -> None:
    option = option_of(company, Kind.REMOVE_ALLOCATIONS)
    company.reconcile()
    answer = keeper.post(url_of(option), {"row": [company.held.pk]}, follow=True)
    assert "older than the position" in told(answer)
    company.held.refresh_from_db()
    assert company.held.released_on is None


def test_unlimited_rights_offer_nothing(keeper: Any, company: Company) -> None:
    company.own(company.full, 0, 1000, "USD", unlimited=True)
    company.reconcile()
    page = told(keeper.get(position_url(company)))
    assert "every subscription is covered" in page and "Purchase rights" not in page


def test_whoever_may_not_act_is_refused(signed_in: Any, company: Company) -> None:
    option = option_of(company, Kind.PURCHASE)
    assert signed_in("").post(url_of(option)).status_code == 403
    assert not Entitlement.objects.filter(state="build").exists()


def test_applying_asks_for_the_one_model_only(keeper: Any, company: Company) -> None:
    keeper.post(url_of(option_of(company, Kind.REMOVE_ALLOCATIONS)), {"row": [company.held.pk]})
    asked = ReconciliationRun.objects.filter(finished_at=None).get()
    assert (asked.software_model, asked.requested_by) == (company.full, keeper.user)

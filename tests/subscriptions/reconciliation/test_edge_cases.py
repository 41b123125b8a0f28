"""Edge cases of the license position whose right answer no other test tells by itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from subscriptions import history
from subscriptions.entitlements.terms import Book
from subscriptions.models import MetricResult, ModelResult, ProductResult, SeatResult, Subscription
from subscriptions.renewals import recommend
from tests import factories, pages
from tests.subscriptions.reconciliation.edge_world import DAY, Place, ledger_of
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def model() -> Any:
    return factories.software_model(publisher="Acme", product="Mail", edition="Full")


def figures_of(place: Place, model: Any, day: date | None = None) -> MetricResult:
    found = place.figures(model, day)
    assert found is not None
    return found


def kinds(metric: MetricResult) -> list[str]:
    return [option.kind for option in metric.options.all()]


# --- what counts on a day ------------------------------------------------------------------------------------------
def test_what_begins_later_is_not_owned_yet_and_is_one_of_the_others_at_a_renewal_after_it(
    place: Place, model: Any
) -> None:
    ending = place.own(model, 10, end=place.day(30))
    place.own(model, 4, start=place.day(20), end=place.day(400))
    place.use(model, 10)
    assert figures_of(place, model).owned == 10
    (advice,) = recommend.list_renewals(place.today)
    assert (advice.entitlement, advice.recommended) == (ending, 10 + 1 - 4)


def test_between_an_old_term_and_a_late_renewal_nothing_is_owned(place: Place, model: Any) -> None:
    old = place.own(model, 5, end=place.day(-11))
    place.own(model, 5, start=place.day(10), renews=old)
    place.use(model, 3)
    found = figures_of(place, model)
    assert (found.owned, found.status, found.needed) == (0, "not_entitled", 3)
    assert figures_of(place, model, place.day(-11)).owned == 5, "its last day counts"


def test_only_what_has_ended_is_no_entitlement_with_the_last_one_named(
    place: Place, model: Any, signed_in: Any
) -> None:
    place.own(model, 5, end=place.day(-60))
    last = place.own(model, 5, end=place.day(-3))
    place.use(model, 2)
    found = figures_of(place, model)
    page = pages.text_of(signed_in("sam_user").get(found.get_absolute_url()).content.decode())
    assert (found.owned, found.status) == (0, "not_entitled")
    assert f"The last one, {last.number}, ended on" in page and "No entitlement" in page


@pytest.mark.parametrize("status", ["active", "invited", "suspended", "unknown"])
def test_what_consumes_a_license_counts_in_every_status(place: Place, model: Any, status: str) -> None:
    place.use(model, 1, status=status)
    assert figures_of(place, model).in_use == 1


@pytest.mark.parametrize("fields", [{"consumes_license": False}, {"status": "removed", "consumes_license": False}])
def test_what_consumes_none_is_aside(place: Place, model: Any, fields: dict[str, Any]) -> None:
    place.own(model, 1)
    place.use(model, 1, **fields)
    run = reconcile_as_of(None, now=place.now)
    assert figures_of(place, model).in_use == 0 and run.figures["aside"]["no_license"] == 1


def test_an_exclusion_of_yesterday_is_aside_today_and_counted_last_month(place: Place, model: Any) -> None:
    place.own(model, 5)
    first, _ = place.use(model, 2)
    history.keep_former_of([first.pk], now=place.now - DAY)
    Subscription.objects.filter(pk=first.pk).update(excluded=True)
    assert figures_of(place, model).in_use == 1
    assert figures_of(place, model, place.day(-30)).in_use == 2


def test_a_restored_subscription_is_used_from_that_day_and_its_absence_stays(place: Place, model: Any) -> None:
    place.own(model, 5)
    (seat,) = place.use(model, 1)
    removed, restored = place.now - 10 * DAY, place.now - 4 * DAY
    history.keep_former_of([seat.pk], now=removed)
    Subscription.objects.filter(pk=seat.pk).update(ended_at=removed)
    history.keep_former_of([seat.pk], now=restored)
    Subscription.objects.filter(pk=seat.pk).update(ended_at=None, restored_at=restored)
    days = {-12: 1, -10: 0, -5: 0, -4: 1, -1: 1}
    assert {offset: figures_of(place, model, place.day(offset)).in_use for offset in days} == days


def test_a_seat_type_that_was_mapped_anew_says_so_on_the_page_of_a_past_day(
    place: Place, model: Any, signed_in: Any
) -> None:
    place.own(model, 5)
    (seat,) = place.use(model, 1)
    other = factories.software_model(publisher="Acme", product="Draw")
    type(seat.identifier).objects.filter(pk=seat.identifier_id).update(software_model=other)
    found = figures_of(place, other, place.day(-9))
    page = signed_in("sam_user").get(found.model_result.product_result.run.get_absolute_url()).content.decode()
    assert found.in_use == 1 and "mappings and people are as they were known when it ran" in pages.text_of(page)


# --- people and their rights ---------------------------------------------------------------------------------------
def test_somebody_with_two_subscriptions_needs_two_rights(place: Place, model: Any) -> None:
    ann = factories.person(name="Ann")
    held = place.own(model, 1)
    place.use(model, 2, ann)
    place.allocate(held, ann)
    found = figures_of(place, model)
    assert (found.in_use, found.allocated_in_use, found.used, found.needed) == (2, 1, 2, 1)


def test_of_two_rights_for_one_subscription_one_is_reserved(place: Place, model: Any) -> None:
    ann = factories.person(name="Ann")
    place.allocate(place.own(model, 2), ann, 2)
    place.use(model, 1, ann)
    found = figures_of(place, model)
    assert (found.allocated_in_use, found.allocated_not_in_use, found.used, found.needed) == (1, 1, 2, 0)


def test_a_right_of_somebody_who_left_is_reserved_and_offered_back_only_where_one_is_missing(
    place: Place, model: Any, signed_in: Any
) -> None:
    gone = factories.person(name="Gone", left_on=place.day(-5))
    held = place.own(model, 3)
    place.allocate(held, gone)
    place.use(model, 2)
    found = figures_of(place, model)
    assert (found.used, found.needed, kinds(found)) == (3, 0, [])
    page = pages.text_of(signed_in("sam_user").get(held.get_absolute_url()).content.decode())
    assert "1 person who left has rights of it. Release them." in page
    place.use(model, 1)
    found = figures_of(place, model)
    assert found.needed == 1 and kinds(found)[0] == "remove_allocations"


def test_a_right_for_somebody_whose_subscription_has_no_user_counts_twice_and_the_page_says_match_it(
    place: Place, model: Any, signed_in: Any
) -> None:
    ann, reader = factories.person(name="Ann"), signed_in("sam_user")
    held = place.own(model, 1)
    place.allocate(held, ann)
    (seat,) = place.use(model, 1)
    found = figures_of(place, model)
    assert (found.in_use, found.allocated_not_in_use, found.used, found.unlicensed) == (1, 1, 2, 1)
    hint = "If a subscription of theirs has no user, match it"
    for address in (held.get_absolute_url(), f"{found.get_absolute_url()}allocations/"):
        assert hint in pages.text_of(reader.get(address).content.decode()), address
    factories.match(seat, ann)
    found = figures_of(place, model)
    assert (found.allocated_in_use, found.used, found.unlicensed) == (1, 1, 0)


def test_those_with_a_user_and_the_longest_assigned_are_covered_first_and_leavers_count(
    place: Place, model: Any
) -> None:
    place.own(model, 2)
    gone = factories.person(left_on=place.day(-2))
    (nobody,) = place.use(model, 1, assigned_at=place.now - 300 * DAY)
    (late,) = place.use(model, 1, factories.person(), assigned_at=place.now - 3 * DAY)
    (never,) = place.use(model, 1, factories.person(), assigned_at=None)
    (first,) = place.use(model, 1, gone, assigned_at=place.now - 200 * DAY)
    found = figures_of(place, model)
    covered = SeatResult.objects.filter(metric_result=found).order_by("rank").values_list("subscription", flat=True)
    assert list(covered) == [first.pk, late.pk, never.pk, nobody.pk]
    assert (found.of_leavers, found.without_user, found.unlicensed) == (1, 1, 2)


# --- money ---------------------------------------------------------------------------------------------------------
def test_beside_unlimited_rights_the_limited_ones_give_the_price(place: Place, model: Any) -> None:
    place.own(model, 10)
    place.own(model, 0, unlimited=True, total_cost=5000, currency="EUR")
    place.use(model, 12)
    found = figures_of(place, model)
    assert (found.status, found.price, found.needed, found.over_licensed) == ("compliant", Decimal(100), 0, 0)
    assert found.annual_spend == {"EUR": "6000.00"} and kinds(found) == []


def test_only_unlimited_rights_have_no_price_and_what_is_left_of_them_is_not_known(
    place: Place, model: Any, signed_in: Any
) -> None:
    place.own(model, 0, unlimited=True, total_cost=5000, currency="EUR")
    place.use(model, 3)
    found = figures_of(place, model)
    assert (found.status, found.price, found.over_licensed, kinds(found)) == ("compliant", None, None, [])
    page = pages.text_of(signed_in("sam_user").get(found.get_absolute_url()).content.decode())
    assert "not known a year What is not used of unlimited rights is not known." in page


def test_no_right_with_a_cost_is_spend_and_no_price(place: Place, model: Any) -> None:
    place.own(model, 0, unit_cost=None, total_cost=500)
    place.use(model, 1)
    found = figures_of(place, model)
    assert (found.annual_spend, found.price, found.true_up) == ({"EUR": "500.00"}, None, None)
    product = ProductResult.objects.current().get()
    assert (product.unpriced, product.true_up) == (1, {}), "not known, and never 0"


def test_an_override_in_dollars_prices_what_was_bought_in_euros(place: Place) -> None:
    model = factories.software_model(cost_override=Decimal(30), currency="USD")
    place.own(model, 2)
    place.use(model, 3)
    found = figures_of(place, model)
    assert (found.currency, found.true_up, found.annual_spend) == ("USD", Decimal(30), {"EUR": "200.00"})


def test_monthly_rights_without_an_end_are_for_ever_and_have_no_price_until_an_end(place: Place, model: Any) -> None:
    held = place.own(model, 2, period="monthly", end=None, unit_cost=10)
    place.use(model, 3)
    found = figures_of(place, model)
    assert found.price == Decimal(120) and Book.read().is_in_force(held, place.day(36_500))
    (purchase,) = [option for option in found.options.all() if option.kind == "purchase"]
    assert (purchase.cost, purchase.until, purchase.cost_until) == (Decimal(120), None, None)


# --- tiers ---------------------------------------------------------------------------------------------------------
def test_a_publisher_in_two_spellings_stays_two_and_is_asked_for_as_one(place: Place) -> None:
    for name, product in (("Acme", "Mail"), ("ACME", "Draw")):
        model = factories.software_model(publisher=name, product=product)
        place.own(model, 1)
        place.use(model, 1)
    reconcile_as_of(None, now=place.now)
    assert sorted(ProductResult.objects.current().values_list("publisher", flat=True)) == ["ACME", "Acme"]
    run = reconcile_as_of(None, now=place.now, publishers=("acme",))
    assert ModelResult.objects.filter(product_result__run=run).count() == 2


def test_an_edition_with_rights_to_spare_covers_no_other_one(place: Place) -> None:
    short, spare = (factories.software_model(publisher="Acme", product="Mail", edition=name) for name in ("A", "B"))
    place.own(short, 1)
    place.own(spare, 9)
    place.use(short, 3)
    place.use(spare, 1)
    reconcile_as_of(None, now=place.now)
    product = ProductResult.objects.current().get()
    assert (product.needed, product.true_up, product.over_licensed) == (2, {"EUR": "200.00"}, {"EUR": "800.00"})
    assert (product.status, product.out_of_compliance) == ("not_compliant", 1)


# --- the ledger of savings -----------------------------------------------------------------------------------------
OLD = {"id": "e0", "start": "2026-01-01", "end": "2026-03-31", "purchased_rights": 10}
RENEWAL = {"id": "e1", "renews": "e0", "start": "2026-04-01", "end": "2027-03-31"}
MAY = date(2026, 5, 1)


def removed(name: str, on: str, **fields: str) -> dict[str, str]:
    return {"id": name, "removed_on": on, **fields}


@pytest.mark.parametrize("rights", [10, 12], ids=["with the old count", "with more"])
def test_a_renewal_that_gives_nothing_back_saves_nothing(rights: int) -> None:
    told = ledger_of([OLD, {**RENEWAL, "purchased_rights": rights}], [removed("r0", "2026-02-01")], MAY)
    assert (told["freed"], told["saved"], told["pending"], told["unattributed_reduction"]) == (1, 0, 1, {})


def test_what_was_freed_first_is_saved_first_whichever_block_is_renewed_with_fewer() -> None:
    other = {"id": "e9", "start": "2026-01-01", "end": "2026-12-31", "purchased_rights": 5}
    freed = [removed("r0", "2026-03-01"), removed("r1", "2026-02-01"), removed("r2", "2026-02-10")]
    told = ledger_of([other, OLD, {**RENEWAL, "purchased_rights": 8}], freed, MAY)
    assert told["state"] == {"r0": "pending", "r1": "saved", "r2": "saved"}


def test_a_restoration_after_the_renewal_takes_the_saving_back() -> None:
    freed = [removed("r0", "2026-03-29", restored_on="2026-04-03")]
    told = ledger_of([OLD, {**RENEWAL, "purchased_rights": 9}], freed, MAY)
    kinds = [line[2] for line in told["ledger"]]
    assert sorted(kinds) == ["freed", "restored", "saved", "saved_offset"]
    assert (told["state"], told["saved"], told["offset"]) == ({"r0": "offset"}, 0, 1)


@pytest.mark.parametrize(("removed_on", "state"), [("2025-03-31", "lapsed"), ("2025-04-30", "pending")])
def test_what_no_renewal_saved_within_366_days_has_lapsed(removed_on: str, state: str) -> None:
    told = ledger_of([{**OLD, "end": "2027-12-31"}], [removed("r0", removed_on)], MAY)
    assert told["state"] == {"r0": state}

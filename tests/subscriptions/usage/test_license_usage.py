"""License usage in the browser: from a publisher to the subscription that nothing covers; every figure adds up."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from subscriptions.models import MetricResult, PinnedPublisher, Subscription
from tests import factories, pages
from tests.subscriptions.usage.usage_world import USAGE, Company, removed_today

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


@pytest.fixture
def company() -> Company:
    return Company()


def page_of(client: Any, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def told(page: str) -> str:
    return pages.text_of(page)


def test_before_anything_was_reconciled_the_page_says_what_to_do(keeper: Any) -> None:
    page = told(page_of(keeper, USAGE))
    assert "Nothing was reconciled yet" in page and "Run reconciliation" in page


def test_the_way_from_a_publisher_to_the_subscription_that_nothing_covers(keeper: Any, company: Company) -> None:
    company.reconcile()
    company.count_days()
    page = page_of(keeper, USAGE)
    assert "0 of 2" in told(page) and "2 software models out of compliance" in told(page)
    assert "USD 240.00" in told(page), "two rights are missing at 120: one is held by somebody who left"
    page = page_of(keeper, f"{USAGE}Acme/")
    product = re.search(r'href="(/product-results/\d+/)">Mail', page)
    assert product and "USD 660.00" in told(page), "spend: 3 × 120 + 5 × 60"
    page = page_of(keeper, product[1])
    models = pages.rows(page, "Software model")
    assert models["Acme Mail Full"][:6] == ["Not compliant", "3", "4", "5", "2", "USD 240.00"]
    assert models["Acme Mail Lite"][:6] == ["Compliant", "5", "2", "2", "0", "USD 0.00"]
    assert models["Sum"][:6] == ["Not compliant", "8", "6", "7", "2", "USD 240.00"]
    model = re.search(r'href="(/model-results/\d+/)">Acme Mail Full', page)
    page = page_of(keeper, model[1])  # type: ignore[index]
    assert company.full_rights.number in page and "Owned and in use by day" in page
    metric = company.metric(company.full)
    assert metric.get_absolute_url() in page
    page = page_of(keeper, metric.get_absolute_url())
    assert "2 rights are missing: 5 are used and 3 are owned." in told(page)
    assert "4 in use = 0 covered by an allocation + 2 covered by a right + 2 not covered" in told(page)
    assert "5 used = 4 in use + 1 allocated, not in use" in told(page)
    assert "USD 240.00 a year = 2 needed × USD 120.00 a right" in told(page)
    seats = page_of(keeper, f"{metric.get_absolute_url()}subscriptions/?covered=none")
    rows = pages.rows(seats, "Subscription")
    assert len(rows) == 2 and {cells[-1] for cells in rows.values()} == {
        "None left: no. 3 in line for 2 rights",
        "None left: no. 4 in line for 2 rights",
    }


def test_every_number_that_is_a_link_to_a_list_of_subscriptions_is_the_length_of_that_list(
    keeper: Any, company: Company
) -> None:
    company.reconcile()
    checked = 0
    for model in (company.full, company.lite, company.draw):
        metric = company.metric(model)
        page = page_of(keeper, metric.get_absolute_url())
        for url, text in re.findall(r'href="(/metric-results/\d+/subscriptions/[^"]*)">(.*?)</a>', page, flags=re.S):
            if number := re.match(r"[\d,]+", told(text)):
                assert pages.rows_behind(keeper, url.replace("&amp;", "&")) == int(number[0]), url
                checked += 1
    assert checked > 12


def test_a_publisher_that_is_pinned_comes_first_for_whoever_pinned_it(
    keeper: Any, signed_in: Any, company: Company
) -> None:
    company.reconcile()
    names = lambda client: re.findall(r'<h3><a href="[^"]*"><bdi>(\w+)</bdi>', page_of(client, USAGE))  # noqa: E731
    assert names(keeper) == ["Acme", "Zeta"]
    keeper.post("/license-usage-pin/", {"publisher": "Zeta", "pin": "yes"})
    assert names(keeper) == ["Zeta", "Acme"]
    assert names(signed_in("sam_admin")) == ["Acme", "Zeta"]
    keeper.post("/license-usage-pin/", {"publisher": "Zeta", "pin": "no"})
    assert names(keeper) == ["Acme", "Zeta"] and not PinnedPublisher.objects.exists()
    answer = keeper.post("/license-usage-pin/", {"publisher": "Nobody", "pin": "yes", "next": "//evil"}, follow=True)
    assert "No position has this publisher." in told(answer.content.decode())


def test_publishers_are_searched_narrowed_and_ordered_as_cards_or_as_a_list(keeper: Any, company: Company) -> None:
    company.own(company.draw, 9, 10, "EUR")
    company.reconcile()
    rows = pages.rows(page_of(keeper, f"{USAGE}?view=list"), "Publisher")
    assert list(rows) == ["Acme", "Zeta"]
    assert rows["Zeta"][:3] == ["Compliant", "1 of 1 (100 %)", "EUR 0.00"]
    by_spend = pages.rows(page_of(keeper, f"{USAGE}?view=list&sort=over_licensed&currency=EUR"), "Publisher")
    assert list(by_spend) == ["Zeta", "Acme"]
    assert list(pages.rows(page_of(keeper, f"{USAGE}?view=list&status=out"), "Publisher")) == ["Acme"]
    assert list(pages.rows(page_of(keeper, f"{USAGE}?view=list&q=ZE"), "Publisher")) == ["Zeta"]
    assert "No publisher matches" in page_of(keeper, f"{USAGE}?q=nothing")


def test_two_currencies_stand_beside_each_other_the_preferred_one_first(keeper: Any, company: Company) -> None:
    company.own(company.draw, 9, 10, "EUR")
    company.reconcile()
    assert "USD 660.00" in told(page_of(keeper, USAGE)) and "EUR 90.00 USD 660.00" in told(page_of(keeper, USAGE))
    keeper.get(f"{USAGE}?currency=USD")
    assert "USD 660.00 EUR 90.00" in told(page_of(keeper, USAGE))
    assert "750.00" not in told(page_of(keeper, USAGE))


def test_a_price_has_all_its_decimals_wherever_it_stands(keeper: Any, company: Company) -> None:
    company.own(company.draw, 9, Decimal("12.345"), "EUR")
    company.reconcile()
    metric = company.metric(company.draw)
    row = pages.rows(page_of(keeper, metric.model_result.get_absolute_url()), "License metric")["User Subscription"]
    assert row[4] == "EUR 12.345" and "EUR 12.345 a right" in told(page_of(keeper, metric.get_absolute_url()))


def test_what_has_no_price_is_not_known_and_said_beside_the_totals(keeper: Any, company: Company) -> None:
    company.reconcile()
    page = page_of(keeper, USAGE)
    assert "1 software model has no price" in told(page)
    assert "0 of 1 product compliant (0 %), 1 without an entitlement" in told(page), "why Zeta is not compliant"
    metric = company.metric(company.draw)
    page = told(page_of(keeper, metric.get_absolute_url()))
    assert "No entitlement" in page and "2 are in use, and no entitlement is in force. None was ever recorded." in page
    assert "not known a year = 2 needed × not known a right" in page


def test_every_tier_says_the_same_of_a_publisher_of_which_nothing_was_bought(
    keeper: Any, signed_in: Any, company: Company
) -> None:
    company.reconcile()
    row = pages.rows(page_of(keeper, f"{USAGE}?view=list&q=zeta"), "Publisher")["Zeta"]
    (card,) = re.findall(r'<li class="card publisher-card publisher-(\w+)">', page_of(keeper, f"{USAGE}?q=zeta"))
    page = page_of(keeper, f"{USAGE}Zeta/")
    lead = told(page.split('class="lead">')[1].split("</p>")[0])
    assert (row[0], card) == ("Not compliant", "bad") and lead.startswith("Not compliant 1 of 1 product without an")
    assert pages.rows(page, "Product")["Draw"][0] == "No entitlement", "the product says why"
    assert list(pages.rows(page_of(keeper, f"{USAGE}?view=list&status=out"), "Publisher")) == ["Acme", "Zeta"]
    assert "2 Publishers" in told(page_of(keeper, "/"))
    classic = told(page_of(keeper, "/core/license-workbench/?tab=out"))
    assert "Zeta Out of compliance, 0 % of 1 product" in classic


def test_the_preferred_currency_is_kept_for_whoever_prefers_it(keeper: Any, signed_in: Any, company: Company) -> None:
    company.own(company.draw, 9, 10, "EUR")
    company.reconcile()
    keeper.get(f"{USAGE}?currency=USD")
    again = Client()
    again.force_login(keeper.user)
    assert "USD 660.00 EUR 90.00" in told(page_of(again, USAGE)), "also in another session"
    assert "USD 660.00 EUR 90.00" in told(page_of(again, "/")), "and on home"
    assert "EUR 90.00 USD 660.00" in told(page_of(signed_in("sam_admin"), USAGE)), "not for others"
    keeper.get(f"{USAGE}?currency=XXX")
    assert "USD 660.00 EUR 90.00" in told(page_of(again, USAGE)), "what nothing costs is ignored"


def test_a_day_that_is_over_is_asked_for_and_shown_with_its_own_figures(keeper: Any, company: Company) -> None:
    company.reconcile()
    past = timezone.localdate() - timedelta(days=10)
    page = page_of(keeper, f"{USAGE}?as_of={past}")
    assert "Nobody has asked for" in told(page) and f'name="day" value="{past}"' in page
    company.full_rights.purchased_rights = 50
    company.full_rights.save()
    run = company.reconcile(past)
    page = page_of(keeper, f"{USAGE}?as_of={past}")
    assert run.number in page and "Nobody has asked" not in page
    assert f"/license-usage/Acme/?run={run.pk}" in page
    page = told(page_of(keeper, f"{USAGE}Acme/?run={run.pk}"))
    assert f"{past:%-d %b %Y}" in page


def test_a_day_before_a_profile_was_listed_has_no_total(keeper: Any, company: Company) -> None:
    past = timezone.localdate() - timedelta(days=60)
    run = company.reconcile(past)
    page = told(page_of(keeper, f"{USAGE}?run={run.pk}"))
    assert "There is no total for that day" in page and "Acme US" in page and "Compliant products" not in page


@pytest.mark.parametrize(
    "query",
    ["as_of=tomorrow", "as_of=9999-12-31", "run=0", "run=x", "run=99999999999999999999", "sort=x&view=y&page=z"],
)
def test_an_address_that_cannot_be_used_shows_today(keeper: Any, company: Company, query: str) -> None:
    company.reconcile()
    assert "USD 660.00" in told(page_of(keeper, f"{USAGE}?{query}"))


def test_open_candidates_are_counted_as_of_now_and_the_link_opens_exactly_them(keeper: Any, company: Company) -> None:
    company.reconcile()
    for seat in company.seats[company.full.pk][:2]:
        factories.candidate(seat)
    excluded = company.seats[company.full.pk][3]
    excluded.excluded = True
    excluded.save()
    factories.candidate(excluded)
    page = page_of(keeper, company.metric(company.full).get_absolute_url())
    assert "USD 240.00 a year = 2 open removal candidates × USD 120.00 a right" in told(page)
    url = re.search(r'href="(/removal-candidates/\?[^"]*)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    assert pages.rows_behind(keeper, url) == 2
    page = page_of(keeper, USAGE)
    assert "a year, for 2 open removal candidates" in told(page)


def test_who_uses_it_by_department_adds_up_and_each_figure_opens_its_rows(keeper: Any, company: Company) -> None:
    company.reconcile()
    metric = company.metric(company.full)
    url = f"{metric.get_absolute_url()}groups/?group=department"
    assert "It was never divided like this" in told(page_of(keeper, url))
    company.reconcile(group="department")
    metric = company.metric(company.full)
    page = page_of(keeper, f"{metric.get_absolute_url()}groups/?group=department")
    rows = pages.rows(page, "Group")
    assert {name: cells[0] for name, cells in rows.items()} == {"Sales": "2", "Support": "1", "No user": "1"}
    assert sum(int(cells[0]) for cells in rows.values()) == metric.in_use
    links = re.findall(r'href="(/metric-results/\d+/subscriptions/\?[^"]*)">(\d+)<', page)
    assert len(links) == 6
    for link, number in links:
        assert pages.rows_behind(keeper, link.replace("&amp;", "&")) == int(number), link


def test_an_older_result_says_so_and_leads_to_what_stands_today(keeper: Any, company: Company) -> None:
    company.reconcile()
    old = company.metric(company.full)
    company.reconcile()
    page = page_of(keeper, old.get_absolute_url())
    assert "These are older results" in told(page) and "What mends it" not in page
    stays = page_of(keeper, f"/software-models/{company.full.pk}/position/")
    assert "What mends it" in stays and "older results" not in stays


def test_a_software_model_that_is_in_no_position_says_why(keeper: Any, company: Company) -> None:
    page = told(page_of(keeper, f"/software-models/{company.full.pk}/position/"))
    assert "It is not in the position" in page
    company.full.under_management = False
    company.full.save()
    assert "not under management" in told(page_of(keeper, f"/software-models/{company.full.pk}/position/"))


def test_a_page_costs_as_many_queries_for_many_rows_as_for_one(keeper: Any) -> None:
    company = Company()
    company.reconcile()
    company.count_days()
    urls = lambda: [  # noqa: E731
        USAGE,
        f"{USAGE}?view=list",
        f"{USAGE}Acme/",
        company.metric(company.full).model_result.product_result.get_absolute_url(),
        company.metric(company.full).model_result.get_absolute_url(),
        company.metric(company.full).get_absolute_url(),
        f"{company.metric(company.full).get_absolute_url()}subscriptions/",
        f"{company.metric(company.full).get_absolute_url()}allocations/",
    ]
    few = [pages.cost(keeper, url) for url in urls()]
    for number in range(30):
        model = factories.software_model(
            publisher=f"Vendor {number}" if number % 2 else "Acme", product=f"P {number % 9}"
        )
        company.own(model, 3, 10, "USD")
        company.fill(model, 1)
        company.own(company.full, 1, 10, "USD")
    company.fill(company.full, 30)
    company.reconcile()
    assert [pages.cost(keeper, url) for url in urls()] == few


def test_the_totals_are_the_sums_of_the_rows_on_every_tier(keeper: Any, company: Company) -> None:
    """An independent recount: from the software models up, without the sums that a run stores."""
    for number in range(5):
        model = factories.software_model(publisher=f"Vendor {number % 2}", product=f"Suite {number}")
        company.own(model, 2 + number, 30 + number, "USD")
        company.fill(model, 4)
    company.reconcile()
    by_publisher: dict[str, Decimal] = {}
    for metric in MetricResult.objects.filter(model_result__current=True).select_related("model_result"):
        seats = Subscription.objects.current().filter(identifier__software_model=metric.model_result.software_model)
        owned = sum(one.purchased_rights for one in metric.model_result.software_model.entitlements.all())
        reserved = 1 if metric.model_result.software_model == company.full else 0
        assert metric.needed == max(0, seats.count() + reserved - owned)
        name = metric.model_result.publisher
        by_publisher[name] = by_publisher.get(name, Decimal(0)) + metric.needed * (metric.price or 0)
    page = page_of(keeper, f"{USAGE}?view=list")
    rows = pages.rows(page, "Publisher")
    shown = {name: cells[2] for name, cells in rows.items()}
    assert shown == {
        name: "not known" if name == "Zeta" else f"USD {amount:,.2f}" for name, amount in by_publisher.items()
    }
    assert f"USD {sum(by_publisher.values()):,.2f}" in told(page)
    for name in by_publisher:
        products = pages.rows(page_of(keeper, f"{USAGE}{name}/"), "Product")
        money = [cells[4] for cells in products.values() if cells[4] != "not known"]
        assert sum(Decimal(text.removeprefix("USD ").replace(",", "")) for text in money) == by_publisher[name]


def test_unlimited_rights_are_never_short_and_what_is_left_of_them_is_not_known(keeper: Any, company: Company) -> None:
    company.own(company.draw, 0, 0, "USD", unlimited=True, unit_cost=None, total_cost=500)
    company.reconcile()
    page = told(page_of(keeper, company.metric(company.draw).get_absolute_url()))
    assert "An unlimited entitlement is in force" in page and "not known a year" in page
    assert "USD 500.00 a year" in page and "Unlimited rights are never short." in page


def test_an_entitlement_that_was_corrected_since_is_not_put_into_an_equation_it_does_not_fit(
    keeper: Any, company: Company
) -> None:
    company.reconcile()
    type(company.full_rights).objects.filter(pk=company.full_rights.pk).update(purchased_rights=7)
    page = told(page_of(keeper, company.metric(company.full).get_absolute_url()))
    assert "3 owned" in page and "The entitlements were changed after this was computed" in page


def test_an_override_of_zero_is_a_price_and_no_override_is_none(keeper: Any, company: Company) -> None:
    company.draw.cost_override, company.draw.currency = Decimal(0), "USD"
    company.draw.save()
    company.reconcile()
    page = told(page_of(keeper, company.metric(company.draw).get_absolute_url()))
    assert "USD 0.00 a year = 2 needed × USD 0.00 a right" in page and "override of the software model" in page


def test_a_removed_subscription_that_can_be_restored_is_named_beside_the_figures(keeper: Any, company: Company) -> None:
    removed_today(company, company.full)
    company.reconcile()
    page = told(page_of(keeper, company.metric(company.full).get_absolute_url()))
    assert "1 restorable subscription does not count, and would need a right if restored." in page


@pytest.mark.parametrize("view", ["cards", "list"])
def test_a_day_of_which_a_profile_is_not_known_has_no_total_and_nothing_is_called_compliant(
    keeper: Any, company: Company, view: str
) -> None:
    day = timezone.localdate() - timedelta(days=20)
    since = timezone.now() - timedelta(days=30)
    Subscription.objects.exclude(identifier__software_model=company.full).update(first_seen_at=since)
    factories.profile(display_name="Late Team", refreshed_at=timezone.now(), team_id="t2")
    run = company.reconcile(day)
    assert run.inputs["unknown"] == ["Late Team"]
    page = told(page_of(keeper, f"{USAGE}?as_of={day}&view={view}"))
    assert "There is no total for that day" in page
    assert page.count("Its products are as far as was listed by then.") == 2 and "products compliant" not in page
    page = page_of(keeper, f"{USAGE}Acme/?run={run.pk}")
    mail = pages.rows(page, "Product")["Mail"]
    assert mail[0] in ("Not known", "Not compliant") and "Every figure above" not in told(page)
    lite = MetricResult.objects.get(model_result__product_result__run=run, model_result__software_model=company.lite)
    page = page_of(keeper, lite.model_result.product_result.get_absolute_url())
    row = pages.rows(page, "Software model")["Acme Mail Lite"]
    assert (row[0], row[6]) == ("Not known", "not known")
    page = told(page_of(keeper, lite.get_absolute_url()))
    assert "At least 2 are used and 5 are owned. Nothing is known that day of Late Team." in page

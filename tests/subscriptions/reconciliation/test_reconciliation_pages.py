"""Reconciliation in the browser: asked for, watched, canceled, found again, and what each one rests on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from samsaas.lib import signatures
from samsaas.models import AuditEntry
from subscriptions import history
from subscriptions.models import ProductResult, ReconciliationRun, SeatResult, Subscription
from subscriptions.reconciliation import forget_seats
from tests import factories, pages, worlds
from tests.subscriptions.usage.usage_world import Company

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST, NEW = "/reconciliations/", "/reconciliations/new/"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_user")


def told(answer: Any) -> str:
    return pages.text_of(answer.content.decode())


def ask(client: Any, **fields: Any) -> Any:
    return client.post(NEW, fields, follow=True)


def test_a_run_on_demand_shows_its_progress_and_then_what_it_found(keeper: Any) -> None:
    Company()
    answer = ask(keeper)
    run = ReconciliationRun.objects.get()
    assert answer.redirect_chain == [(run.get_absolute_url(), 302)]
    page = answer.content.decode()
    assert f'hx-get="/runs/{run.run_id}/progress/?brief"' in page and "In progress" in page and "Cancel the run" in page
    assert run.requested_by == keeper.user
    worlds.work()
    page = told(keeper.get(run.get_absolute_url()))
    assert "8 listed = 8 counted + 0 excluded" in page
    assert "Completed" in page and "Mail" in page and "Draw" in page
    assert "none: there was no signing key" in page or "Ed25519" in page
    assert keeper.get(f"/runs/{run.run_id}/progress/?brief")["HX-Refresh"] == "true"


def test_the_same_question_leads_to_the_run_under_way(keeper: Any, signed_in: Any) -> None:
    Company()
    ask(keeper)
    answer = ask(signed_in("sam_admin"))
    assert "The same was asked for already" in told(answer)
    assert ReconciliationRun.objects.count() == 1
    ask(keeper, group="department")
    assert ReconciliationRun.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"day": "2999-01-01"}, "That day is still to come."),
        ({"day": "yesterday"}, "Enter a valid date."),
        ({"day": "2026-02-30"}, "Enter a valid date."),
        ({"group": "country", "subgroup": "country"}, "Group and subgroup must differ."),
        ({"subgroup": "country"}, "A subgroup needs a group."),
        ({"group": "size"}, "not one of the available choices"),
        ({"publishers": "Nobody"}, "There is no such publisher."),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_at_its_field(
    keeper: Any, fields: dict[str, str], problem: str
) -> None:
    Company()
    answer = ask(keeper, **fields)
    assert problem in told(answer) and answer.status_code == 200
    assert not ReconciliationRun.objects.exists()


def test_a_canceled_run_leaves_the_results_of_before(keeper: Any) -> None:
    Company().reconcile()
    before = list(ProductResult.objects.current().values())
    ask(keeper)
    run = ReconciliationRun.objects.first()
    answer = keeper.post(f"{run.get_absolute_url()}cancel/", follow=True)
    assert "Canceled" in told(answer) and "The results of before stand." in told(answer)
    assert list(ProductResult.objects.current().values()) == before
    again = keeper.post(f"{run.get_absolute_url()}cancel/", follow=True)
    assert "was over already" in told(again)


def test_only_some_publishers_are_computed_and_aside_is_over_all_of_them(keeper: Any) -> None:
    company = Company()
    seat = company.seats[company.draw.pk][0]
    seat.excluded = True
    seat.save()
    ask(keeper, publishers="Acme")
    worlds.work()
    run = ReconciliationRun.objects.get()
    page = told(keeper.get(run.get_absolute_url()))
    assert "Mail" in page and "Draw" not in page and "1 excluded" in page
    assert "What is aside is counted over all publishers." in page


def set_aside_one_of_each_kind(company: Company) -> list[Subscription]:
    excluded, idle, strange, unmanaged = (company.fill(company.lite, 1)[0] for _ in range(4))
    twin = factories.profile(display_name="Acme twin", team_id="t1", refreshed_at=timezone.now())
    first = company.seats[company.full.pk][0]
    second = factories.subscription(
        profile=twin, identifier=first.identifier, external_id=first.external_id, first_seen_at=first.first_seen_at
    )
    excluded.excluded = True
    idle.consumes_license = False
    strange.identifier = factories.identifier(software_model=None)
    unmanaged.identifier = factories.identifier(software_model=factories.software_model(under_management=False))
    for seat in (excluded, idle, strange, unmanaged):
        seat.save()
    return [excluded, idle, second, strange, unmanaged]


ONE_OF_EACH = {"excluded": 1, "no_license": 1, "duplicate": 1, "unrecognized": 1, "not_managed": 1}


def test_every_figure_of_what_was_set_aside_opens_its_rows(keeper: Any) -> None:
    company = Company()
    set_aside_one_of_each_kind(company)
    run = company.reconcile()
    assert run.figures["aside"] == ONE_OF_EACH
    page = keeper.get(run.get_absolute_url()).content.decode()
    found = re.findall(r'<a href="(/subscriptions/\?[^"]*)">\s*<strong>(\d+)</strong>', page)
    assert len(found) == 6
    for url, number in found:
        assert pages.rows_behind(keeper, url.replace("&amp;", "&")) == int(number), url
    assert "the position is incomplete" in pages.text_of(page)


def listed_links(client: Any, run: ReconciliationRun) -> dict[str, int]:
    """The terms of *listed = counted + aside*: address -> number."""
    page = client.get(run.get_absolute_url()).content.decode()
    found = re.findall(r'<a href="([^"]*)">\s*<strong>(\d+)</strong>', page)
    return {url.replace("&amp;", "&"): int(number) for url, number in found}


def test_what_was_set_aside_on_a_day_that_is_over_opens_the_rows_of_that_day(keeper: Any) -> None:
    company = Company()
    aside = set_aside_one_of_each_kind(company)
    keys = [seat.pk for seat in aside]
    past, now = timezone.localdate() - timedelta(days=5), timezone.now()
    history.keep_former_of([*keys, company.seats[company.lite.pk][0].pk], now=now)
    Subscription.objects.filter(pk__in=keys[:3]).update(excluded=False, consumes_license=True, ended_at=now)
    Subscription.objects.filter(pk__in=keys[3:]).update(identifier=company.seats[company.lite.pk][0].identifier)
    Subscription.objects.filter(pk=company.seats[company.lite.pk][0].pk).update(excluded=True)
    run = company.reconcile(past)
    assert run.figures["aside"] == ONE_OF_EACH and run.figures["counted"] == 8
    links = listed_links(keeper, run)
    assert len(links) == 6 and all(url.startswith(f"{run.get_absolute_url()}listed/") for url in links)
    for (url, number), seat in zip(links.items(), [None, *aside], strict=True):
        assert pages.rows_behind(keeper, url) == number, url
        page = keeper.get(url).content.decode()
        assert f"on {past:%-d %b %Y}" in pages.text_of(page)
        if seat is not None:
            assert list(pages.rows(page, "Subscription")) == [seat.title], url
    today = company.reconcile()
    assert today.figures["aside"] == {**dict.fromkeys(ONE_OF_EACH, 0), "excluded": 1}
    for url, number in listed_links(keeper, today).items():
        assert url.startswith("/subscriptions/") and pages.rows_behind(keeper, url) == number, url


def test_a_run_of_last_week_opens_what_was_so_then_and_says_what_it_counted(keeper: Any) -> None:
    company = Company()
    aside = set_aside_one_of_each_kind(company)
    run = company.reconcile()
    past = timezone.now() - timedelta(days=7)
    ReconciliationRun.objects.filter(pk=run.pk).update(started_at=past)
    history.keep_former_of([aside[0].pk], now=timezone.now())
    Subscription.objects.filter(pk=aside[0].pk).update(excluded=False)
    url, number = next(iter((url, number) for url, number in listed_links(keeper, run).items() if "excluded" in url))
    assert url == f"{run.get_absolute_url()}listed/excluded/"
    assert pages.rows_behind(keeper, url) == number == 1
    Subscription.objects.filter(pk=aside[1].pk).update(consumes_license=True)
    page = told(keeper.get(f"{run.get_absolute_url()}listed/no_license/"))
    assert f"{run.number} counted 1." in page and "No subscription" in page


def test_what_no_run_counts_has_no_page_and_today_leads_to_the_list_of_today(keeper: Any) -> None:
    run = Company().reconcile()
    assert keeper.get(f"{run.get_absolute_url()}listed/nonsense/").status_code == 404
    answer = keeper.get(f"{run.get_absolute_url()}listed/excluded/")
    assert (answer.status_code, answer["Location"]) == (302, "/subscriptions/?seats=excluded")
    ReconciliationRun.objects.filter(pk=run.pk).update(figures={})
    assert keeper.get(f"{run.get_absolute_url()}listed/excluded/").status_code == 404


def test_the_rows_of_a_past_day_cost_as_many_queries_for_many_as_for_few(keeper: Any) -> None:
    company = Company()
    run = company.reconcile(timezone.localdate() - timedelta(days=5))
    url = f"{run.get_absolute_url()}listed/counted/"
    few = pages.cost(keeper, url)
    company.fill(company.full, 30)
    assert pages.cost(keeper, url) == few


def test_the_list_is_filtered_sorted_and_paged(keeper: Any) -> None:
    company = Company()
    company.reconcile()
    company.reconcile(timezone.localdate() - timedelta(days=3))
    company.reconcile(publishers=("Acme",), group="department")
    company.reconcile(model=company.full.pk)

    def numbers(query: str) -> list[str]:
        return list(pages.rows(keeper.get(f"{LIST}?{query}").content.decode(), "Number"))

    newest = [run.number for run in ReconciliationRun.objects.all()]
    assert numbers("") == newest and numbers("sort=number") == newest[::-1]
    assert numbers("as_of=past") == [newest[2]] and numbers("scope=model") == [newest[0]]
    assert numbers("scope=publishers") == [newest[1]] == numbers("group=department")
    assert numbers("scope=all") == newest[2:]
    assert numbers(f"q={newest[3].lower()}") == [newest[3]] and numbers("q=mail+full") == [newest[0]]
    assert numbers("asked=schedule") == newest, "nobody has asked for them"
    row = pages.rows(keeper.get(LIST).content.decode(), "Number")[newest[1]]
    assert row[0] == "Completed" and row[2] == "Acme by Department"
    for query in worlds.nonsense(("q", "state", "as_of", "scope", "group", "asked", "since", "until", "sort", "page")):
        assert keeper.get(f"{LIST}?{query}").status_code == 200


def test_the_list_costs_as_many_queries_for_many_runs_as_for_one(keeper: Any) -> None:
    Company().reconcile()
    few = pages.cost(keeper, LIST)
    one = ReconciliationRun.objects.get()
    for number in range(30):
        ReconciliationRun.objects.create(
            scope_key=f"today/none/none/model-{number}",
            started_at=one.started_at,
            finished_at=one.finished_at,
            state="completed",
            requested_by=keeper.user,
            software_model=factories.software_model(),
        )
    assert pages.cost(keeper, LIST) == few


def test_the_page_says_what_a_run_rests_on_and_how_old_that_is(keeper: Any) -> None:
    company = Company()
    past = timezone.localdate() - timedelta(days=5)
    run = company.reconcile(past)
    page = told(keeper.get(run.get_absolute_url()))
    assert f"{past:%-d %b %Y}" in page and "Acme US" in page
    assert f"Recorded after that day, and counted as known today: {company.full_rights.number}" in page
    unknown = company.reconcile(past - timedelta(days=60))
    page = told(keeper.get(unknown.get_absolute_url()))
    assert "Not known on that day: Acme US. There is no total" in page
    company.profile.delete()
    assert "since deleted" in told(keeper.get(run.get_absolute_url()))


def test_a_signature_is_verified_on_the_page_and_a_changed_figure_is_seen(keeper: Any, settings: Any) -> None:
    run = Company().reconcile()
    if not run.signature:
        pytest.skip("there is no signing key in this installation")
    assert signatures.known_keys()
    assert "The signature is valid" in told(keeper.get(f"{run.get_absolute_url()}?verify"))
    ProductResult.objects.filter(run=run).update(needed=0)
    assert "The signature is not valid" in told(keeper.get(f"{run.get_absolute_url()}?verify"))


def test_a_run_that_a_person_keeps_has_its_subscriptions_after_newer_ones(keeper: Any) -> None:
    company = Company()
    run = company.reconcile()
    answer = keeper.post(f"{run.get_absolute_url()}keep/", {"keep": "yes"}, follow=True)
    assert f"The subscriptions behind {run.number} are kept" in told(answer)
    assert AuditEntry.objects.filter(verb="kept reconciliation").exists()
    company.reconcile()
    forget_seats.run()
    kept = SeatResult.objects.filter(metric_result__model_result__product_result__run=run)
    assert kept.exists()
    keeper.post(f"{run.get_absolute_url()}keep/", {"keep": "no"})
    forget_seats.run()
    assert not kept.exists()
    metric = run.products.first().model_results.first().metrics.first()
    page = told(keeper.get(f"{metric.get_absolute_url()}subscriptions/"))
    assert "They are not stored any more" in page


def test_a_publisher_that_failed_is_named_and_its_old_results_stand(keeper: Any) -> None:
    company = Company()
    company.reconcile()
    type(company.full_rights).objects.filter(pk=company.full_rights.pk).update(
        total_cost="99999999999", purchased_rights=1
    )
    ask(keeper)
    worlds.work()
    run = ReconciliationRun.objects.first()
    assert run.state == "partially_completed"
    page = told(keeper.get(run.get_absolute_url()))
    assert "Partially completed" in page and "too large" in page


def test_a_failed_run_is_marked_above_the_position_until_one_has_answered(keeper: Any) -> None:
    company = Company()
    company.reconcile()
    ask(keeper)
    run = ReconciliationRun.objects.first()
    type(run.run).objects.filter(pk=run.run_id).update(state="failed", error_message="The worker was lost three times.")
    keeper.get(LIST)
    page = told(keeper.get("/license-usage/"))
    assert "The last reconciliation failed" in page and "The worker was lost three times." in page
    company.reconcile()
    assert "The last reconciliation failed" not in told(keeper.get("/license-usage/"))

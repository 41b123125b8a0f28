"""License Workbench in Core UI: cards, the tree below them, and Run Reconciliation as a button."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from profiles.models import JobRun
from subscriptions.models import Entitlement, MetricResult, PinnedPublisher, ReconciliationRun, SeatResult
from tests import factories
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
WORKBENCH = "/core/license-workbench/"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def reader(signed_in: Any) -> Any:
    return signed_in("sam_user")


def model_in_use(publisher: str, product: str, seats: int, rights: int | None, **cost: Any) -> Any:
    model = factories.software_model(publisher=publisher, product=product, edition="")
    kind = factories.identifier(software_model=model)
    for _ in range(seats):
        factories.subscription(identifier=kind, first_seen_at=timezone.now())
    if rights is not None:
        given = {"state": "in_use", "start": date(2020, 1, 1), "unit_cost": 100, "currency": "USD", **cost}
        Entitlement.objects.create(software_model=model, purchased_rights=rights, **given)
    return model


@pytest.fixture
def position() -> ReconciliationRun:
    """Acme Mail is short by two, Acme Chat has one to spare, and Zeta has what it needs."""
    model_in_use("Acme", "Mail", 3, 1)
    model_in_use("Acme", "Chat", 1, 2)
    model_in_use("Zeta & Co", "Board", 1, 1, currency="JPY")
    return reconcile_as_of(None, now=timezone.now())


def test_before_the_first_reconciliation_it_says_what_to_do(reader: Any) -> None:
    page = reader.get(WORKBENCH).content.decode()
    assert "There is no license position yet" in page and "Run Reconciliation</button>" in page


def test_a_card_says_how_much_is_compliant_and_what_it_costs(reader: Any, position: Any) -> None:
    page = reader.get(WORKBENCH).content.decode()
    acme = page.partition("<bdi>Acme</bdi>")[2].partition("</li>")[0]
    assert "Out of compliance" in acme and "50 % of 2 products" in acme
    assert "USD 200.00" in acme and "USD 100.00" in acme
    zeta = page.partition("<bdi>Zeta &amp; Co</bdi>")[2].partition("</li>")[0]
    assert "Compliant" in zeta and "JPY 100" in zeta and "JPY 100." not in zeta


def test_the_last_reconciliation_is_that_of_today_though_a_past_day_was_asked_for_later(
    reader: Any, position: ReconciliationRun
) -> None:
    later = reconcile_as_of(timezone.localdate() - timedelta(days=30), now=timezone.now())
    page = reader.get(WORKBENCH).content.decode()
    assert f">{position.number}</a>" in page and later.number not in page


def test_tabs_show_who_is_out_of_compliance_and_who_is_pinned(reader: Any, position: Any) -> None:
    out = reader.get(WORKBENCH, {"tab": "out"}).content.decode()
    assert "<bdi>Acme</bdi>" in out and "Zeta" not in out
    assert "You have pinned no publisher yet" in reader.get(WORKBENCH, {"tab": "pinned"}).content.decode()
    reader.post(f"{WORKBENCH}pin/", {"publisher": "Zeta & Co", "pinned": "yes"})
    pinned = reader.get(WORKBENCH, {"tab": "pinned"}).content.decode()
    assert "Zeta &amp; Co</bdi>" in pinned and "<bdi>Acme</bdi>" not in pinned
    page = reader.get(WORKBENCH).content.decode()
    assert page.index("Zeta &amp; Co</bdi>") < page.index("<bdi>Acme</bdi>"), "pinned ones come first"
    reader.post(f"{WORKBENCH}pin/", {"publisher": "Zeta & Co", "pinned": "no"})
    reader.post(f"{WORKBENCH}pin/", {"publisher": "Nobody", "pinned": "yes"})
    assert not PinnedPublisher.objects.exists()


def test_the_tree_leads_from_the_publisher_to_the_unlicensed_subscriptions(reader: Any, position: Any) -> None:
    page = reader.get(WORKBENCH, {"publisher": "Acme"}).content.decode()
    assert page.index("Chat") < page.index("Mail") and "Not compliant" in page
    metric = MetricResult.objects.get(needed=2)
    assert reverse("admin:subscriptions_metricresult_change", args=[metric.pk]) in page
    narrowed = {"metric_result__id__exact": metric.pk, "covered_by__exact": "none"}
    rows = reader.get(reverse("admin:subscriptions_seatresult_changelist"), narrowed)
    assert rows.status_code == 200 and len(rows.context["cl"].result_list) == 2
    covered = reader.get(
        reverse("admin:subscriptions_seatresult_changelist"),
        {"metric_result__id__exact": metric.pk, "covered_by__in": "allocation,right"},
    )
    assert (
        len(covered.context["cl"].result_list)
        == 1
        == SeatResult.objects.filter(metric_result=metric).exclude(covered_by="none").count()
    )
    only = reader.get(WORKBENCH, {"publisher": "Acme", "only": "out"}).content.decode()
    assert "Mail" in only and "Chat" not in only
    assert reader.get(WORKBENCH, {"publisher": "Nobody"}).status_code == 404


def test_run_reconciliation_asks_once_and_leads_to_its_form(reader: Any, position: Any) -> None:
    first = reader.post(f"{WORKBENCH}run/")
    run = ReconciliationRun.objects.first()
    assert run and run != position and run.requested_by == reader.user
    assert first["Location"] == reverse("admin:subscriptions_reconciliationrun_change", args=[run.pk])
    again = reader.post(f"{WORKBENCH}run/", follow=True)
    assert "under way" in again.content.decode() and ReconciliationRun.objects.count() == 2
    assert JobRun.objects.filter(subject=run.pk, process="reconcile").exists()


def test_results_have_forms_with_related_lists_and_files_to_take_away(reader: Any, position: Any) -> None:
    page = reader.get(reverse("admin:subscriptions_reconciliationrun_change", args=[position.pk])).content.decode()
    assert reverse("position_csv", args=[position.pk]) in page and "Product results" in page
    metric = MetricResult.objects.get(needed=2)
    page = reader.get(reverse("admin:subscriptions_metricresult_change", args=[metric.pk])).content.decode()
    for label in ("Licensed subscriptions", "Unlicensed subscriptions", "Remediation options"):
        assert f">{label}</a>" in page
    assert "USD 100.00" in page


@pytest.mark.parametrize("query", [{}, {"tab": "out"}, {"publisher": "Acme"}])
def test_thirty_products_cost_as_many_queries_as_one(reader: Any, query: dict[str, str]) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert reader.get(WORKBENCH, query).status_code == 200
        return len(asked)

    model_in_use("Acme", "Mail", 1, 0)
    reconcile_as_of(None, now=timezone.now())
    cost()
    few = cost()
    for number in range(29):
        model_in_use("Acme", f"Product {number}", 1, 0)
    reconcile_as_of(None, now=timezone.now())
    assert cost() == few


LISTS = ("entitlement", "productresult", "metricresult", "seatresult", "remediationoption", "subscription")


def test_lists_of_thirty_rows_cost_as_many_queries_as_of_one(reader: Any) -> None:
    def costs() -> dict[str, int]:
        found = {}
        for name in LISTS:
            with CaptureQueriesContext(connection) as asked:
                assert reader.get(reverse(f"admin:subscriptions_{name}_changelist")).status_code == 200
            found[name] = len(asked)
        return found

    profile = factories.profile()
    kind = factories.identifier(software_model=model_in_use("Acme", "Mail", 0, 0))
    factories.subscription(profile=profile, identifier=kind, first_seen_at=timezone.now())
    reconcile_as_of(None, now=timezone.now())
    costs()
    few = costs()
    for number in range(12):
        kind = factories.identifier(software_model=model_in_use("Acme", f"Product {number}", 0, 0))
        factories.subscription(profile=profile, identifier=kind, first_seen_at=timezone.now())
    reconcile_as_of(None, now=timezone.now())
    assert costs() == few


def test_bad_query_strings_break_no_list_and_no_workbench(reader: Any, position: Any) -> None:
    for name in (*LISTS, "allocation", "reconciliationrun"):
        address = reverse(f"admin:subscriptions_{name}_changelist")
        for query in (
            "metric_result__id__exact=x",
            "covered_by__exact=zz",
            "p=9999",
            "p=-1",
            "o=99.x",
            "q=%00",
            "foo=1",
        ):
            assert reader.get(f"{address}?{query}", follow=True).status_code in (200, 400), (name, query)
    for query in ("tab=%00", "tab=x&publisher=", "only=x", "publisher=%00"):
        assert reader.get(f"{WORKBENCH}?{query}").status_code in (200, 400, 404), query


def test_core_ui_loads_no_million_of_rows_into_a_select(reader: Any, position: Any) -> None:
    """A form has no choices to load: everything is read only. Filters offer states, never rows."""
    for name in LISTS:
        row = reader.get(reverse(f"admin:subscriptions_{name}_changelist"))
        assert b"<select" not in row.content, name

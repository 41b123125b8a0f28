"""Reports reach people without an account on their day, say what the pages say, and can be stopped by who gets them."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.states import State
from samsaas import outbox, schedule
from samsaas.models import AuditEntry, Mail, MailedReport, ReportRecipient
from samsaas.reports import recipients, send
from samsaas.reports.figures import compile_content
from subscriptions.models import Entitlement, GroupResult
from tests import factories
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = pytest.mark.django_db

BOSS = "boss@example.com"
FORM = {"name": "For the board", "kind": "position", "every": "month", "weekday": "0", "month_day": "1", "active": "on"}


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.REPORT_DOMAINS = {"example.com"}


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=timezone.get_current_timezone())


def report(kind: str = "position", **fields: Any) -> MailedReport:
    """A monthly report of the first, made before the month began, for one address."""
    made = timezone.localdate().replace(day=1) - timedelta(days=1)
    given = {"name": f"Report {kind}", "created_at": at_noon(made), **fields}
    one = MailedReport.objects.create(kind=kind, **given)
    ReportRecipient.objects.create(report=one, address=BOSS)
    return one


@pytest.fixture
def position() -> Any:
    """Three subscriptions, two of people with cost centers, and two rights at 110 dollars."""
    profile = factories.profile(refreshed_at=timezone.now() - timedelta(hours=2))
    model = factories.software_model(publisher="Acme", product="Mail", edition="Full")
    kind = factories.identifier(software_model=model)
    for center in ("4711", "4712", "", None):
        seat = factories.subscription(
            profile=profile, identifier=kind, first_seen_at=timezone.now() - timedelta(days=9)
        )
        if center is not None:
            factories.match(seat, factories.person(cost_center=center))
    Entitlement.objects.create(
        software_model=model, purchased_rights=2, state="in_use", start=date(2020, 1, 1), unit_cost=110, currency="USD"
    )
    return reconcile_as_of(None, now=timezone.now())


def attached(mail: Mail) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(mail.attachment.removeprefix("\ufeff"))))


def test_the_report_of_the_position_says_what_its_page_and_its_csv_say(
    position: Any, client: Any, account: Any
) -> None:
    report()
    assert send.run(at_noon(timezone.localdate())) == 1
    mail = Mail.objects.get()
    client.force_login(account("sam_user"))
    lines = b"".join(client.get(f"/reconciliations/{position.pk}/position.csv").streaming_content).decode("utf-8-sig")
    assert attached(mail) == list(csv.DictReader(io.StringIO(lines)))
    page = client.get("/license-usage/").content.decode()
    assert (
        "Rights owned: 2\nIn use: 4\nRights needed: 2\nTrue-up cost: USD 220.00" in mail.body and "USD 220.00" in page
    )
    assert (mail.to, mail.attachment_name) == (BOSS, f"position-{timezone.localdate():%Y-%m-%d}.csv")


def test_the_chargeback_equals_a_reconciliation_by_cost_center_and_names_nobody(position: Any) -> None:
    grouped = reconcile_as_of(None, now=timezone.now(), group="cost_center")
    groups = GroupResult.objects.filter(metric_result__model_result__product_result__run=grouped)
    content = compile_content("chargeback", timezone.now())
    named = {row[0]: (row[4], row[5], row[6]) for row in content.rows}
    assert sorted(named) == ["4711", "4712", "No cost center", "No user"]
    figures = sorted((one.in_use, one.unlicensed, one.cost_share) for one in groups)
    assert sorted(named.values()) == figures and figures[0][2] == Decimal(110)
    assert ("Cost a year", "USD 440.00") in content.facts and ("Cost centers", "2") in content.facts
    assert "Employee" not in str(content)


def test_the_report_of_savings_says_what_the_ledger_says(client: Any, account: Any) -> None:
    one = factories.candidate(state=State.CLOSED_COMPLETE)
    SavingsEntry.objects.create(
        candidate=one, kind="freed", quantity=1, amount=Decimal(120), currency="EUR", on=timezone.localdate(),
        software_model="Dropbox", profile_name="P",
    )  # fmt: skip
    content = compile_content("savings", timezone.now())
    assert content.facts[0] == ("Freed", "1 (EUR 120.00 a year)") and content.rows[0][:3] == [
        "Dropbox",
        1,
        "EUR 120.00",
    ]
    client.force_login(account("sam_user"))
    assert "EUR 120.00" in client.get("/savings/").content.decode() and one.seat_name not in str(content)


@pytest.mark.parametrize(
    ("every", "today", "expected"),
    [
        ("week", date(2026, 11, 25), date(2026, 11, 23)),
        ("week", date(2026, 11, 23), date(2026, 11, 23)),
        ("month", date(2026, 11, 25), date(2026, 11, 15)),
        ("month", date(2026, 11, 14), date(2026, 10, 15)),
        ("month", date(2026, 1, 3), date(2025, 12, 15)),
    ],
)
def test_the_day_of_a_report(every: str, today: date, expected: date) -> None:
    assert send.last_day(MailedReport(every=every, weekday=0, month_day=15), today) == expected


def test_it_is_sent_once_and_a_missed_day_is_made_up_for_once(position: Any) -> None:
    one, noon = report(), at_noon(timezone.localdate())
    assert [send.run(noon), send.run(noon), send.run(noon + timedelta(minutes=1))] == [1, 0, 0]
    one.refresh_from_db()
    assert one.sent_at == noon and AuditEntry.objects.get(verb="sent report").detail["to"] == [BOSS]
    assert send.run(noon + timedelta(days=70)) == 1


def test_it_waits_for_the_position_of_the_day_and_for_a_first_one(position: Any) -> None:
    report()
    report("savings")
    early = at_noon(timezone.localdate()).replace(hour=6)
    assert send.run(early) == 0 and send.run(early.replace(hour=7)) == 1
    assert MailedReport.objects.get(kind="savings").settled_on is None


def test_what_was_off_is_not_made_up_for(position: Any, client: Any, account: Any) -> None:
    one = report(active=False)
    client.force_login(account("admin"))
    changed = {**FORM, "name": one.name, "recipients": BOSS, "month_day": str(timezone.localdate().day % 28 + 1)}
    assert client.post(f"/reports/{one.pk}/edit/", changed).status_code == 302
    assert send.run(at_noon(timezone.localdate())) == 0


def test_the_link_of_the_mail_stops_it_and_looking_does_not(position: Any, client: Any) -> None:
    one, noon = report(), at_noon(timezone.localdate())
    send.run(noon)
    link = Mail.objects.get().secret.partition("/reports/")[2]
    assert "Stop the report" in client.get(f"/reports/{link}").content.decode()
    assert one.recipients.filter(stopped_at=None).exists()
    program = Client(enforce_csrf_checks=True)  # a mail program, which has no session and no token of a form
    assert "was stopped" in program.post(f"/reports/{link}", {"List-Unsubscribe": "One-Click"}).content.decode()
    assert AuditEntry.objects.get(verb="stopped report").detail["address"] == BOSS
    assert send.run(noon + timedelta(days=40)) == 0 and Mail.objects.count() == 1
    assert client.get(f"/reports/{link[:-3]}/").status_code == 404
    one.recipients.all().delete()
    assert client.get(f"/reports/{link}").status_code == 404


def test_only_addresses_of_the_named_domains_get_it_then_and_later(
    position: Any, client: Any, account: Any, settings: Any
) -> None:
    client.force_login(account("admin"))
    refused = client.post("/reports/new/", {**FORM, "recipients": "a@elsewhere.org\nnobody"}).content.decode()
    assert "a@elsewhere.org: Reports may only go to addresses of example.com" in refused and "nobody:" in refused
    settings.REPORT_DOMAINS = set()
    assert recipients.NO_DOMAINS in client.post("/reports/new/", {**FORM, "recipients": BOSS}).content.decode()
    one = report()
    assert send.run(at_noon(timezone.localdate())) == 0 and not Mail.objects.exists()
    assert "Not allowed" in client.get(one.get_absolute_url()).content.decode()


def test_a_report_is_made_tested_changed_and_deleted_with_entries(position: Any, client: Any, account: Any) -> None:
    admin = account("admin")
    admin.email = "admin@example.com"
    admin.save()
    client.force_login(admin)
    client.post("/reports/new/", {**FORM, "recipients": f"{BOSS}\nCFO@example.com\n{BOSS}"})
    one = MailedReport.objects.get()
    assert [str(each) for each in one.recipients.all()] == [BOSS, "cfo@example.com"]
    again = client.post("/reports/new/", {**FORM, "recipients": BOSS})
    assert "already exists" in again.content.decode()
    client.post(f"/reports/{one.pk}/test/")
    test = Mail.objects.get()
    assert (test.to, test.subject) == (admin.email, "Test: License position: For the board") and not test.secret
    assert not test.one_click
    client.post(f"/reports/{one.pk}/edit/", {**FORM, "recipients": BOSS, "every": "week"})
    assert one.recipients.count() == 1
    client.post(f"/reports/{one.pk}/delete/")
    done = AuditEntry.objects.filter(verb__endswith="report").order_by("pk").values_list("verb", flat=True)
    assert list(done) == ["created report", "tested report", "changed report", "deleted report"]


def test_the_mail_that_arrives_has_the_file_and_the_link(position: Any, settings: Any, mailoutbox: Any) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL, settings.MAIL_ANY_HOUR = "mail", "licenses@example.com", True
    report()
    now = at_noon(timezone.localdate())
    schedule.send_reports.run(now)
    stop = Mail.objects.get().secret
    assert outbox.send_due(now)["sent"] == 1
    arrived = django_mail.outbox[0]
    (name, content, kind), *rest = arrived.attachments
    assert kind == "text/csv" and name.startswith("position-") and "License metric" in content and not rest
    assert stop in arrived.body and arrived.extra_headers["List-Unsubscribe"] == f"<{stop}>"


def test_one_and_thirty_reports_cost_the_same_queries(
    client: Any, account: Any, django_assert_max_num_queries: Any
) -> None:
    client.force_login(account("admin"))
    counts = Counter[int]()
    client.get("/reports/")  # the first page of a session also stores it
    for number in (1, 29):
        for _ in range(number):
            report(name=f"R{MailedReport.objects.count()}")
        with django_assert_max_num_queries(40) as asked:
            assert client.get("/reports/").status_code == 200
        counts[len(asked)] += 1
    assert len(counts) == 1

"""The link that can only keep: what it shows, what it does, and what an attacker gets. Cases 24 to 27."""

from __future__ import annotations

import re
import secrets
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from reclamation.asking import approve, ask, keep, notices, sweep
from reclamation.models import Approval, KeepAnswer, Notice, RemovalAttempt, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from samsaas.models import AuditEntry, GuessCount
from tests import factories
from tests.reclamation.asking import world
from tests.reclamation.asking.world import DAY, MINUTE, MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday() -> Any:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def visitor() -> Client:
    """A browser that has never been here, and checks that forms carry a token where they need one."""
    return Client(enforce_csrf_checks=True)


def address(one: RemovalCandidate) -> str:
    return f"/keep/{world.token_of(one)}"


def facts() -> tuple[Any, ...]:
    """Everything that a visit could have changed, but the count of visits."""
    return (
        list(RemovalCandidate.objects.values_list("state", "closed_at", "deadline")),
        KeepAnswer.objects.count(),
        Approval.objects.count(),
        AuditEntry.objects.count(),
        Session.objects.count(),
    )


def test_the_page_shows_the_question_and_nobody_else_and_no_price(visitor: Client) -> None:
    person = factories.person(
        "ann@example.com", name="Ann Lee", manager="E1", department="Secret Lab", cost_center="77"
    )
    factories.person("max@example.com", key="E1", name="Max Boss")
    rule = world.rule()
    rule.software_model.cost_override, rule.software_model.currency = "240.00", "USD"
    rule.software_model.save()
    one = world.asked(rule, person=person)
    answer = visitor.get(address(one))
    page = answer.content.decode()
    assert answer.status_code == 200 and str(rule.software_model) in page and "7 Dec 2026" in page
    assert 'name="reason"' in page and 'name="until"' in page and 'maxlength="500"' in page
    for secret in ("Max Boss", "240", "Secret Lab", "Ann Lee", "ann@example.com", one.number, "RC0"):
        assert secret not in page, secret


def test_the_answers_are_kept_by_nobody_and_lead_nobody_here(visitor: Client) -> None:
    one = world.asked()
    for path in (address(one), "/keep/" + "x" * 43):
        answer = visitor.get(path)
        assert answer["Referrer-Policy"] == "no-referrer" and answer["Cache-Control"] == "no-store"
        assert not answer.cookies and "default-src 'none'" in answer["Content-Security-Policy"]
        assert 'content="noindex"' in answer.content.decode()
    assert "csrfmiddlewaretoken" not in visitor.get(address(one)).content.decode()


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch"])
def test_case_24_looking_and_prefetching_do_nothing(visitor: Client, method: str) -> None:
    one = world.asked()
    before = facts()
    for headers in ({}, {"Purpose": "prefetch", "Sec-Purpose": "prefetch"}, {"User-Agent": "Mail scanner"}):
        answer = getattr(visitor, method)(f"{address(one)}?reason=x&until=2026-12-24", headers=headers)
        assert answer.status_code in (200, 405)
    assert facts() == before


def test_keeping_asks_the_approver_and_shows_what_was_said(visitor: Client, account: Any) -> None:
    world.sam_admin(account)
    one = world.asked()
    answer = visitor.post(address(one), {"reason": "For the audit.", "until": "2027-03-01"})
    assert answer.status_code == 200 and "Your answer was received" in answer.content.decode()
    one = world.reread(one)
    said = one.answers.get()
    assert (said.reason, said.keep_until, said.granted, said.channel) == (
        "For the audit.",
        date(2027, 3, 1),
        None,
        "link",
    )
    assert one.state == State.AWAITING_APPROVAL
    approval = one.approvals.get()
    assert approval.question == "keep_request" and approval.due_at == MONDAY + 14 * DAY
    assert "For the audit." in visitor.get(address(one)).content.decode()
    assert one.notices.get(kind="ask").used_at == MONDAY


@pytest.mark.parametrize(("until", "kept"), [("", date(2027, 2, 28)), ("2027-06-01", date(2027, 6, 1))])
def test_without_an_approver_it_is_kept_at_once(visitor: Client, until: str, kept: date) -> None:
    one = world.asked(world.rule(approver="none"))
    visitor.post(address(one), {"reason": "", "until": until})
    one = world.reread(one)
    assert one.state == State.CLOSED_SKIPPED and one.answers.get().granted is True
    assert one.subscription.keep_until == kept and not Approval.objects.exists()


def test_case_24_pressed_twice_it_is_one_answer(visitor: Client) -> None:
    one = world.asked()
    for reason in ("first", "second", "third"):
        page = visitor.post(address(one), {"reason": reason}).content.decode()
        assert "Your answer was received" in page and "first" in page
    assert one.answers.get().reason == "first" and one.approvals.count() == 1


def test_case_25_after_the_end_it_is_no_answer_and_says_whom_to_write_to(visitor: Client, monday: Any) -> None:
    one = world.asked()
    path = address(one)
    monday.move_to(one.deadline + timedelta(seconds=1))
    for answer in (visitor.get(path), visitor.post(path, {"reason": "late"})):
        assert answer.status_code == 404 and "not valid any more" in answer.content.decode()
        assert "tell the people who manage the software licenses" in answer.content.decode()
    assert not KeepAnswer.objects.exists()
    sweep.run(one.deadline + MINUTE)
    assert world.reread(one).state == State.AWAITING_REVOCATION
    assert visitor.post(path, {"reason": "late"}).status_code == 404


def test_in_the_last_second_it_is_an_answer(visitor: Client, monday: Any) -> None:
    one = world.asked()
    monday.move_to(one.deadline)
    visitor.post(address(one), {})
    assert world.reread(one).state == State.AWAITING_APPROVAL


def test_an_unknown_and_an_expired_link_get_the_same_page_to_the_byte(visitor: Client, monday: Any) -> None:
    one = world.asked()
    token = world.token_of(one)
    monday.move_to(one.deadline + DAY)
    expired = visitor.get(f"/keep/{token}")
    strange = [
        secrets.token_urlsafe(32),
        "x",
        "x" * 1900,
        token[:-1],
        token + "A",
        token.swapcase(),
        "%00",
        "..",
        token[::-1],
    ]
    for other in strange:
        if "%00" not in other:
            unknown = visitor.get(f"/keep/{other}")
            assert (unknown.status_code, unknown.content) == (expired.status_code, expired.content), other
        monday.shift(61)


def test_no_altered_link_keeps_anything(visitor: Client, monday: Any) -> None:
    one = world.asked()
    token, before = world.token_of(one), facts()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in range(len(token)):
        for letter in secrets.SystemRandom().sample(letters, 4):
            altered = token[:place] + letter + token[place + 1 :]
            if altered != token:
                with pytest.raises(keep.NotKept):
                    keep.run(altered, "x", None, MONDAY)
    assert facts() == before


def test_the_link_of_an_approver_keeps_nothing(visitor: Client, account: Any) -> None:
    world.sam_admin(account, "other")
    one = world.asked(world.rule(second_person=True))
    sweep.run(one.deadline + MINUTE)
    token = world.token_of(one, "approval")
    assert visitor.post(f"/keep/{token}", {"reason": "x"}).status_code == 404
    assert not KeepAnswer.objects.exists()


def test_a_link_keeps_its_own_subscription_only(visitor: Client) -> None:
    mine, other = world.asked(), world.asked()
    visitor.post(
        address(mine), {"reason": "mine", "candidate": other.pk, "pk": other.pk, "token": world.token_of(other)}
    )
    assert world.reread(other).state == State.AWAITING_USER and not other.answers.exists()


@pytest.mark.parametrize(
    "until",
    [
        "2026-11-29",
        "2027-12-01",
        "9999-12-31",
        "0001-01-01",
        "2026-02-30",
        "tomorrow",
        "2026-12-01; DROP",
        "-1",
        "٢٠٢٦-١٢-٠١x",
    ],
)
def test_case_27_an_impossible_day_is_an_error_of_the_form(visitor: Client, until: str) -> None:
    one = world.asked()
    page = visitor.post(address(one), {"until": until})
    assert page.status_code == 200 and "Keep your subscription?" in page.content.decode()
    assert 'aria-invalid="true"' in page.content.decode()
    assert world.reread(one).state == State.AWAITING_USER


@pytest.mark.parametrize("until", ["2026-11-30", "2027-11-30"])
def test_today_and_a_year_from_today_are_possible(visitor: Client, until: str) -> None:
    one = world.asked()
    visitor.post(address(one), {"until": until})
    assert str(one.answers.get().keep_until) == until


def test_a_year_from_a_leap_day_is_the_last_of_february() -> None:
    from reclamation.asking import seat_user  # noqa: PLC0415

    assert seat_user.latest_keep(date(2028, 2, 29)) == date(2029, 2, 28)


@pytest.mark.parametrize(
    ("reason", "status"), [("x" * 501, 200), ("x" * 120_000, 200), ("x" * 200_000, 413), ("a\x00b", 400)]
)
def test_a_huge_or_odd_reason_is_refused_with_a_page(visitor: Client, reason: str, status: int) -> None:
    one = world.asked()
    assert visitor.post(address(one), {"reason": reason}).status_code == status
    assert world.reread(one).state == State.AWAITING_USER


def test_markup_in_a_reason_or_a_name_is_text(visitor: Client, signed_in: Any) -> None:
    nasty = '<img src=x onerror="alert(1)">'
    one = world.asked(display_name=nasty, software_model=nasty)
    assert "<img src=x" not in visitor.get(address(one)).content.decode()
    assert "<img src=x" not in visitor.post(address(one), {"reason": nasty}).content.decode()
    page = signed_in("sam_admin", username="reader").get(one.get_absolute_url()).content.decode()
    assert "<img src=x" not in page and "&lt;img src=x" in page


def test_the_host_header_does_not_choose_where_links_lead(settings: Any, visitor: Client) -> None:
    settings.PUBLIC_URL = "https://samsaas.example.com"
    one = world.candidate()
    from reclamation.asking import ask  # noqa: PLC0415

    ask.run(one, None, MONDAY)
    assert one.notices.get().mail.secret.startswith("https://samsaas.example.com/keep/")
    assert visitor.get("/keep/x", headers={"Host": "evil.example"}).status_code == 400


def test_twenty_a_minute_from_one_place_whatever_the_link(monday: Any) -> None:
    one = world.asked()
    crowd = Client(REMOTE_ADDR="198.51.100.7")
    codes = [crowd.get(f"/keep/{secrets.token_urlsafe(32)}").status_code for _ in range(20)]
    assert codes == [404] * 20
    refused = crowd.post(address(one), {"reason": "x"})
    assert refused.status_code == 429 and 0 < int(refused["Retry-After"]) <= 60
    assert world.reread(one).state == State.AWAITING_USER
    assert Client(REMOTE_ADDR="198.51.100.8").get(address(one)).status_code == 200
    monday.shift(60)
    assert crowd.get(address(one)).status_code == 200
    counts = GuessCount.objects.filter(kind="link")
    assert counts.exists() and not counts.filter(place__contains="198.51").exists()


def test_signing_in_stays_possible_for_whoever_opened_too_many_links(account: Any) -> None:
    account("sam_user", username="ann")
    crowd = Client(REMOTE_ADDR="198.51.100.7")
    for _ in range(25):
        crowd.get("/keep/x")
    assert crowd.post("/accounts/login/", {"username": "ann", "password": "a long password"}).status_code == 302


@pytest.mark.parametrize("state", ["closed", "attention"])
def test_a_question_that_was_closed_otherwise_says_so(visitor: Client, account: Any, state: str) -> None:
    from reclamation import workflow  # noqa: PLC0415

    one = world.asked()
    if state == "closed":
        workflow.skip(one, reason="by hand", by=account("sam_admin"), now=MONDAY)
    else:
        workflow.apply(one, State.ATTENTION_REQUIRED, reason="odd", now=MONDAY)
    for answer in (visitor.get(address(one)), visitor.post(address(one), {"reason": "x"})):
        assert "This question is closed" in answer.content.decode()
    assert not KeepAnswer.objects.exists()


def test_a_token_is_in_no_log_audit_row_or_page(
    visitor: Client, signed_in: Any, caplog: pytest.LogCaptureFixture, monday: Any
) -> None:
    from samsaas.lib.log_lines import LineFormatter  # noqa: PLC0415
    from samsaas.lib.redaction import RedactSecrets  # noqa: PLC0415

    one = world.asked()
    token = world.token_of(one)
    monday.move_to(one.deadline + DAY)
    visitor.get(f"/keep/{token}")
    visitor.get(f"/keep/{token}?x=1")
    lines = [LineFormatter().format(record) for record in caplog.records if RedactSecrets().filter(record)]
    assert any("/keep/[redacted]" in line for line in lines) and token not in "\n".join(lines)
    admin = signed_in("sam_admin", username="reader")
    pages = [admin.get(path).content.decode() for path in ("/outbox/", one.get_absolute_url(), "/audit/")]
    assert token not in "".join(pages)
    with connection.cursor() as cursor:
        for table in ("reclamation_notice", "samsaas_auditentry", "samsaas_mail", "reclamation_statechange"):
            cursor.execute(f"SELECT * FROM {table}")
            assert token not in str(cursor.fetchall()), table


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ahead", [0.0, 0.03, -0.03])
def test_case_26_a_race_with_the_sweep_has_one_winner_and_the_loser_sees_the_outcome(
    account: Any, ahead: float
) -> None:
    world.sam_admin(account)
    one = world.asked()
    token, last, said = world.token_of(one), one.deadline, []
    barrier = threading.Barrier(2)

    def press() -> None:
        barrier.wait()
        threading.Event().wait(max(ahead, 0))
        try:
            keep.run(token, "mine", None, last)
            said.append("kept")
        except keep.NotKept as outcome:
            said.append(outcome.link.state)
        finally:
            connection.close()

    def tick() -> None:
        barrier.wait()
        threading.Event().wait(max(-ahead, 0))
        sweep.run(last + timedelta(microseconds=1))
        connection.close()

    both = [threading.Thread(target=press), threading.Thread(target=tick)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    one = world.reread(one)
    kept, removed = one.answers.count(), RemovalAttempt.objects.filter(candidate=one).count()
    assert kept + removed == 1
    assert said == (["kept"] if kept else [keep.CLOSED])
    assert one.state == (State.AWAITING_APPROVAL if kept else State.AWAITING_REVOCATION)


def test_case_26_whoever_read_first_and_writes_second_loses() -> None:
    one = world.asked()
    token = world.token_of(one)
    stale = RemovalCandidate.objects.select_related("rule", "profile", "subscription__match__person").get(pk=one.pk)
    keep.run(token, "mine", None, one.deadline)
    with pytest.raises(sweep.workflow.NotAllowed):
        sweep.end_silence(stale, one.deadline + MINUTE)
    assert not RemovalAttempt.objects.exists() and world.reread(one).state == State.AWAITING_APPROVAL


def test_the_page_has_no_script_of_its_own_and_one_form(visitor: Client) -> None:
    page = visitor.get(address(world.asked())).content.decode()
    assert len(re.findall(r"<form[^>]*method=\"post\"", page)) == 1


@pytest.mark.parametrize("crashed", [True, False])
def test_whoever_answers_before_the_mail_is_noted_as_sent_has_been_reached(account: Any, crashed: bool) -> None:
    """The worker dies between the server's answer and its note of it, and the user is quick."""
    boss = world.sam_admin(account)
    one = world.candidate(world.rule(approver="group"))
    ask.run(one, None, MONDAY)
    token = world.token_of(one)
    if not crashed:
        outbox.send_due(MONDAY)
    keep.run(token, "I need it", None, MONDAY + MINUTE)
    world.minute(MONDAY + DAY)
    notice = Notice.objects.get(kind=Notice.Kind.ASK)
    assert notice.expires_at == datetime(2026, 12, 7, 23, 59, 59, 999999, tzinfo=UTC)
    approve.decide(Approval.objects.get(), Approval.Answer.REJECT, note="", by=boss, now=MONDAY + DAY)
    assert world.reread(one).state == State.AWAITING_REVOCATION
    assert Notice.objects.filter(notices.asking(), notices.reached(), expires_at__lte=MONDAY + 8 * DAY).exists()

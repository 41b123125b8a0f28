"""The outbox against a real SMTP server: what is sent, refused, tried again, and what never happens twice."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from samsaas import outbox
from samsaas.lib import mail as letters
from samsaas.models import Mail
from tests import mail_server
from tests.mail_server import DIE, STALL, MailServer

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
FRIDAY_EVENING = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)
TOKEN = "s3cret-" * 6
URL = f"http://localhost:8000/keep/{TOKEN}"


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """A mail server that the installation is set to use."""
    with mail_server.run() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.DEFAULT_FROM_EMAIL = "Licenses <licenses@example.com>"
        settings.EMAIL_TIMEOUT = 5
        yield running


def queue(to: str = "ann@example.com", *, now: datetime = MONDAY, **fields: Any) -> Mail:
    given = {"subject": "Do you still need it?", "body": f"Hello\n\n{outbox.LINK}\n\nBye", "secret": URL}
    return outbox.queue(to=to, **{**given, "give_up_at": now + timedelta(days=7), **fields}, now=now)


def state_of(mail: Mail) -> str:
    mail.refresh_from_db()
    return mail.state


def test_a_mail_is_sent_with_its_link_and_forgets_it(server: MailServer) -> None:
    mail = queue()
    assert outbox.send_due(MONDAY)["sent"] == 1
    assert state_of(mail) == "sent" and mail.sent_at == MONDAY and not mail.kept
    assert URL in server.text_of() and f'href="{URL}"' in server.html_of()
    assert mail.secret == "" and TOKEN not in mail.body
    assert outbox.send_due(MONDAY) == {"given_up": 0}
    assert len(server.received) == 1


def test_it_carries_the_headers_of_a_mail_that_a_machine_has_written(server: MailServer) -> None:
    queue()
    outbox.send_due(MONDAY)
    sent = server.received[0]
    assert sent["From"] == "Licenses <licenses@example.com>" and sent["To"] == "ann@example.com"
    assert re.fullmatch(r"<samsaas-localhost-\d+-\d+@example\.com>", sent["Message-ID"])
    assert sent["Auto-Submitted"] == "auto-generated" and sent["Date"].datetime == MONDAY
    assert [part.get_content_type() for part in sent.iter_parts()] == ["text/plain", "text/html"]


def test_no_token_is_stored_in_plain_text(server: MailServer) -> None:
    queue()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM samsaas_mail")
        assert TOKEN not in str(cursor.fetchall())


@pytest.mark.parametrize(
    ("place", "answer", "outcome"),
    [
        ("on_recipient", "550 5.1.1 No such user", "failed"),
        ("on_recipient", "450 4.2.1 Try later", "queued"),
        ("on_text", "554 5.7.1 Looks like spam", "failed"),
        ("on_text", "451 4.7.1 Come back later", "queued"),
        ("on_text", DIE, "queued"),
        ("on_recipient", DIE, "queued"),
    ],
)
def test_what_the_server_says_decides_over_one_mail_and_stops_no_other(
    server: MailServer, place: str, answer: str, outcome: str
) -> None:
    setattr(server, place, lambda address: answer if address.startswith("bad") else None)
    bad, good = queue("bad@example.com"), queue("good@example.com")
    outbox.send_due(MONDAY)
    assert (state_of(bad), state_of(good)) == (outcome, "sent")
    assert answer == DIE or answer[:9] in bad.error
    assert bad.lease_until is None and bad.owner == "" and bad.tries == 1


def test_a_deferred_mail_waits_longer_each_time_and_arrives_in_the_end(server: MailServer) -> None:
    answers = ["451 Later"] * 3
    server.on_text = lambda address: answers.pop() if answers else None
    mail, now, pauses = queue(), MONDAY, []
    while state_of(mail) == "queued":
        outbox.send_due(now)
        state_of(mail)
        if mail.state == "queued":
            pauses.append(mail.not_before - now)
            now = mail.not_before
    assert pauses == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert mail.state == "sent" and mail.error == "" and len(server.received) == 1


def test_a_server_that_dies_after_the_text_gets_the_same_message_again(server: MailServer) -> None:
    answers = [DIE]
    server.after_text = lambda address: answers.pop() if answers else None
    mail = queue()
    outbox.send_due(MONDAY)
    assert state_of(mail) == "queued"
    outbox.send_due(MONDAY + timedelta(minutes=5))
    assert state_of(mail) == "sent"
    first, second = server.received
    assert first["Message-ID"] == second["Message-ID"]


def test_without_an_answer_for_the_whole_time_it_has_failed_and_the_reason_stays(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_server.free_port()
    settings.DEFAULT_FROM_EMAIL = "licenses@example.com"
    first, second = queue(), queue("bob@example.com")
    counts = outbox.send_due(MONDAY)
    assert counts["unusable"] == 1 and state_of(first) == state_of(second) == "queued"
    assert (first.tries, second.tries) == (1, 0), "a server that is down is asked once a tick, not once a mail"
    outbox.send_due(MONDAY + timedelta(days=7))
    assert (state_of(first), state_of(second)) == ("failed", "failed")
    assert "refused" in first.error and second.error == outbox.TOO_LATE


def test_a_silent_server_costs_one_timeout_and_no_open_transaction(server: MailServer, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    server.on_text, server.stalls = lambda address: STALL, 2.0
    mail, began = queue(), time.monotonic()
    outbox.send_due(MONDAY)
    assert time.monotonic() - began < 1.5
    assert state_of(mail) == "queued" and "timed out" in mail.error.lower()


def test_a_server_that_drips_its_answer_is_cut_off(
    server: MailServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "SECONDS", 0.3)
    server.on_text, server.stalls = lambda address: STALL, 3.0
    mail, began = queue(), time.monotonic()
    outbox.send_due(MONDAY)
    assert time.monotonic() - began < 2 and state_of(mail) == "queued"


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_wrong_password_of_the_server_puts_all_mails_off_and_shows_no_secret(settings: Any) -> None:
    only = mail_server.only("samsaas", "right")
    with mail_server.run(authenticator=only, auth_required=True, auth_require_tls=False) as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "samsaas", "wr0ng-pass"
        settings.DEFAULT_FROM_EMAIL = "licenses@example.com"
        mail = queue()
        outbox.send_due(MONDAY)
        assert state_of(mail) == "queued" and "535" in mail.error and "wr0ng-pass" not in mail.error
        settings.EMAIL_HOST_PASSWORD = "right"
        outbox.send_due(MONDAY + timedelta(minutes=5))
        assert state_of(mail) == "sent"


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com\r\nBcc: all@example.com",
        "ann@example.com\nSubject: hello",
        "a\x00nn@example.com",
        "ann@example.com, bob@example.com",
        "Ann <ann@example.com>",
        "<ann@example.com>",
        "ann",
        "@example.com",
        "ann@",
        "ann@exa mple.com",
        "zoë@example.com",
        "ann@" + "x" * 70 + ".com",
        "a" * 400 + "@example.com",
        "ann@example.com" + " " * 10,
        "",
    ],
)
def test_an_address_that_is_none_fails_and_reaches_nobody(server: MailServer, address: str) -> None:
    mail = queue(address)
    outbox.send_due(MONDAY)
    assert state_of(mail) == "failed" and mail.error and server.received == []


def test_an_international_domain_is_written_to(server: MailServer) -> None:
    mail = queue("ann@bücher.example")
    outbox.send_due(MONDAY)
    assert state_of(mail) == "sent" and server.envelopes[0][1] == ["ann@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "nasty", ["Hi\r\nBcc: all@example.com", "Hi\nX-Evil: 1\n\nbody", "Hi\x00\x0bthere", "Hi\u2028Bcc: a@b.c"]
)
def test_no_text_brings_a_header_of_its_own(server: MailServer, nasty: str) -> None:
    queue(subject=nasty, body=f"{nasty}\n.\nQUIT\n{outbox.LINK}")
    outbox.send_due(MONDAY)
    sent = server.received[0]
    assert sent["Bcc"] is None and sent["X-Evil"] is None and len(server.received) == 1
    assert sent["Subject"].startswith("Hi") and "\n.\nQUIT" in server.text_of().replace("\r\n", "\n")


def test_the_html_escapes_what_people_are_called_and_links_to_our_page_only(server: MailServer) -> None:
    queue(body=f'Hello <script>alert("x")</script> & http://evil.example\n\n{outbox.LINK}')
    outbox.send_due(MONDAY)
    page = server.html_of()
    assert "<script>" not in page and "&lt;script&gt;" in page and "&amp;" in page
    assert re.findall(r'href="([^"]*)"', page) == [URL] and '<html lang="en-US">' in page and "<title>" in page


@pytest.mark.parametrize(
    ("queued", "first"),
    [
        (FRIDAY_EVENING, datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 28, 12, 0, tzinfo=UTC), datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 30, 7, 59, tzinfo=UTC), datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 30, 17, 59, tzinfo=UTC), datetime(2026, 11, 30, 17, 59, tzinfo=UTC)),
        (datetime(2026, 12, 23, 18, 0, tzinfo=UTC), datetime(2026, 12, 28, 8, 0, tzinfo=UTC)),
    ],
)
def test_mails_leave_in_office_hours_only(server: MailServer, settings: Any, queued: datetime, first: datetime) -> None:
    settings.RECLAMATION_QUIET_DAYS = ["2026-12-24", "12-25"]
    mail = queue(now=queued)
    assert mail.not_before == first
    if first > queued:
        assert outbox.send_due(first - timedelta(minutes=1))["given_up"] == 0 and state_of(mail) == "queued"
    outbox.send_due(first)
    assert state_of(mail) == "sent"


def test_a_mail_that_waited_past_closing_time_stays_until_the_next_morning(server: MailServer) -> None:
    mail = queue(now=datetime(2026, 11, 30, 17, 59, tzinfo=UTC))
    outbox.send_due(datetime(2026, 11, 30, 18, 0, tzinfo=UTC))
    assert state_of(mail) == "queued"
    outbox.send_due(datetime(2026, 12, 1, 8, 0, tzinfo=UTC))
    assert state_of(mail) == "sent"


def test_any_hour_means_any_hour_for_one_mail_or_for_all(server: MailServer, settings: Any) -> None:
    now, ordinary = queue(now=FRIDAY_EVENING, any_hour=True), queue("bob@example.com", now=FRIDAY_EVENING)
    outbox.send_due(FRIDAY_EVENING)
    assert (state_of(now), state_of(ordinary)) == ("sent", "queued")
    settings.MAIL_ANY_HOUR = True
    demo = queue(now=FRIDAY_EVENING)
    outbox.send_due(FRIDAY_EVENING)
    assert state_of(demo) == "sent"


def test_a_day_in_the_text_is_counted_from_the_sending(server: MailServer, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    mail = queue(now=FRIDAY_EVENING, body=f"Until {outbox.day_after(7)}: {outbox.LINK}", subject=outbox.day_after(1))
    outbox.send_due(datetime(2026, 11, 30, 8, 0, tzinfo=UTC))
    assert "Until 7 December 2026" in server.text_of() and server.received[0]["Subject"] == "1 December 2026"
    mail.refresh_from_db()
    assert mail.body == f"Until 7 December 2026: {outbox.LINK}", "the outbox shows it as it was sent"


def test_without_a_mail_server_a_mail_is_kept_with_its_link_and_says_so(settings: Any) -> None:
    settings.EMAIL_HOST = ""
    mail = queue()
    assert outbox.send_due(MONDAY)["sent"] == 1
    assert state_of(mail) == "sent" and mail.kept and mail.secret == URL
    assert outbox.drop_secrets(Mail.objects.filter(pk=mail.pk)) == 1
    mail.refresh_from_db()
    assert mail.secret == ""


def test_a_mail_whose_link_cannot_be_decrypted_fails_and_stops_no_other(server: MailServer, settings: Any) -> None:
    lost, good = queue(), queue("bob@example.com", secret="")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE samsaas_mail SET secret = 'v1:0000:broken' WHERE id = %s", [lost.pk])
    outbox.send_due(MONDAY)
    assert (state_of(lost), state_of(good)) == ("failed", "sent") and lost.error == outbox.UNREADABLE


def test_withdrawn_mails_are_not_sent_and_failed_ones_can_be_sent_again(server: MailServer) -> None:
    gone, failing = queue(), queue("bad@example.com")
    assert outbox.withdraw(Mail.objects.filter(pk=gone.pk)) == 1
    server.on_recipient = lambda address: "550 No"
    outbox.send_due(MONDAY)
    assert (state_of(gone), state_of(failing)) == ("withdrawn", "failed") and server.received == []
    server.on_recipient = lambda address: None
    later = MONDAY + timedelta(hours=1)
    assert outbox.resend(failing, give_up_at=later + timedelta(days=1), now=later)
    assert not outbox.resend(failing, give_up_at=later, now=later), "once"
    outbox.send_due(later)
    assert state_of(failing) == "sent" and URL in server.text_of()
    assert outbox.report_bounce(failing, by="ann") and state_of(failing) == "failed"


def test_a_leased_mail_is_not_taken_again_and_one_whose_worker_died_is(server: MailServer) -> None:
    from django.db.models.functions import Now  # noqa: PLC0415

    mail = queue()
    Mail.objects.filter(pk=mail.pk).update(owner="other", lease_until=Now() + timedelta(minutes=1))
    outbox.send_due(MONDAY)
    assert state_of(mail) == "queued" and server.received == []
    assert outbox.send_due(MONDAY + timedelta(days=30))["given_up"] == 0, "not even given up while somebody sends it"
    Mail.objects.filter(pk=mail.pk).update(lease_until=Now() - timedelta(minutes=1))
    outbox.send_due(MONDAY)
    assert state_of(mail) == "sent"


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_mail_once(server: MailServer) -> None:
    server.on_text, server.stalls = lambda address: STALL, 0.2
    mails = [queue(f"user{number}@example.com") for number in range(6)]

    def work() -> None:
        outbox.send_due(MONDAY)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(to for _, (to,) in server.envelopes) == [mail.to for mail in mails]
    assert {state_of(mail) for mail in mails} == {"sent"}


def test_many_mails_share_one_connection(server: MailServer) -> None:
    for number in range(20):
        queue(f"user{number}@example.com")
    outbox.send_due(MONDAY)
    assert len(server.received) == 20 and server.connections == 1

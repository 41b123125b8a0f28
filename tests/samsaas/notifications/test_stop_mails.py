"""Whoever gets mails about events stops them by the link, and so does the mail program; nobody else can."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from reclamation.asking import ask
from samsaas import doors, outbox
from samsaas.events import kinds, stop_mails, tell
from samsaas.lib import mail as letters
from samsaas.models import AuditEntry, Mail, NotificationChoices
from tests.reclamation.asking import world
from tests.samsaas.events.events_world import MONDAY, event

pytestmark = pytest.mark.django_db
EVE = "eve@example.com"
PRESSED = {"List-Unsubscribe": "One-Click"}  # what RFC 8058 has a mail program send


@pytest.fixture
def eve(account: Any) -> User:
    made: User = account("sam_integrator", username="eve", email=EVE)
    return made


def path_of(user: User) -> str:
    return "/notifications/stop/" + stop_mails.write_url(user).partition("/stop/")[2]


def headers_of(mail: Mail) -> dict[str, str]:
    """Those of the mail as it travels, each on a line of its own."""
    written = letters.compose(outbox._letter(mail, MONDAY), "licenses@example.com").message().as_bytes()
    head = written.partition(b"\n\n")[0].decode().replace("\n ", " ")
    return dict(line.split(": ", 1) for line in head.splitlines())


def test_a_mail_about_events_names_its_link_where_mail_programs_look(eve: User, settings: Any) -> None:
    settings.PUBLIC_URL = "https://licenses.example.com"
    event()
    tell.run(MONDAY)
    mail = Mail.objects.get()
    headers = headers_of(mail)
    link = headers["List-Unsubscribe"].strip().strip("<>")
    assert link == mail.secret and link.startswith("https://licenses.example.com/notifications/stop/")
    assert stop_mails.find(link.rstrip("/").rpartition("/")[2]) == eve
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"No more of these mails: {mail.secret}" in letters.compose(outbox._letter(mail, MONDAY), "l@a.org").body
    settings.PUBLIC_URL = "http://localhost:8000"
    event(key="2")
    tell.run(MONDAY)
    plain = headers_of(Mail.objects.latest("pk"))
    assert "List-Unsubscribe" in plain and "List-Unsubscribe-Post" not in plain, "by plain http nobody presses it alone"


def test_mails_that_ask_somebody_or_open_something_cannot_be_stopped(account: Any, signed_in: Any) -> None:
    """Whoever stopped questions would lose a seat without a word."""
    ask.run(world.candidate(), account("sam_admin"), MONDAY)
    signed_in("admin").post("/accounts/invitations/new/", {"email": EVE, "username": ""})
    assert Mail.objects.count() == 2
    for mail in Mail.objects.all():
        assert "List-Unsubscribe" not in headers_of(mail), mail.subject


def test_the_mail_program_presses_the_button_without_a_session_or_a_token_of_the_form(eve: User) -> None:
    program = Client(enforce_csrf_checks=True)
    answer = program.post(path_of(eve), PRESSED)
    assert answer.status_code == 200 and not answer.cookies, "a redirect would not be followed"
    event()
    event("candidates.found", key="2")
    tell.run(MONDAY)
    tell.run(MONDAY + timedelta(days=1))
    assert not Mail.objects.exists()
    entry = AuditEntry.objects.get(verb="stopped notification mails")
    assert (entry.object_name, entry.detail) == ("eve", {"by": "the link in the mail"})
    program.post(path_of(eve), PRESSED)
    assert AuditEntry.objects.filter(verb="stopped notification mails").count() == 1


def test_a_kind_of_a_later_version_is_not_mailed_to_whoever_stopped_all(
    eve: User, account: Any, client: Client, monkeypatch: Any
) -> None:
    client.post(path_of(eve), PRESSED)
    client.force_login(eve)
    client.post("/notifications/settings/", {**dict.fromkeys(kinds.KINDS, "off"), "any_hour": "on"})
    account("sam_integrator", username="new", email="new@example.com")
    later = kinds.NotificationKind("later.kind", "New", "profile_list", "sam_integrator", kinds.AT_ONCE)
    monkeypatch.setitem(kinds.KINDS, later.key, later)
    event(later.key)
    tell.run(MONDAY)
    assert [mail.to for mail in Mail.objects.all()] == ["new@example.com"]


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("application/x-www-form-urlencoded", True),
        ("multipart/form-data; boundary=x", True),
        ("application/json", False),
    ],
)
def test_both_kinds_of_form_that_a_mail_program_may_send_come_in_over_the_network(kind: str, taken: bool) -> None:
    for address in ("/notifications/stop/x/", "/reports/stop/x/", "/people/"):
        request = RequestFactory().generic("POST", address, b"a=b", content_type=kind)
        request.came_over_network = True  # type: ignore[attr-defined]
        is_taken = taken and (address != "/people/" or "multipart" not in kind)
        assert (doors.judge_body(request) is None) == is_taken, address


def test_the_page_takes_no_file(eve: User, client: Client) -> None:
    assert client.post(path_of(eve), {"List-Unsubscribe": io.StringIO("One-Click")}).status_code == 400
    assert not stop_mails.is_done(eve)


def test_looking_changes_nothing_and_the_button_stops_until_the_person_chooses_anew(eve: User, client: Client) -> None:
    assert "Stop these mails?" in client.get(path_of(eve)).content.decode()
    assert not NotificationChoices.objects.exists()
    assert "were stopped" in client.post(path_of(eve)).content.decode()
    assert "were stopped" in client.get(path_of(eve)).content.decode()
    client.force_login(eve)
    page = client.get("/notifications/settings/").content.decode()
    assert set(re.findall(r'<option value="(\w+)"\s+selected', page)) == {"off"}
    client.post("/notifications/settings/", {"run.failed": "at_once"})
    event()
    tell.run(MONDAY)
    assert Mail.objects.get().to == EVE


def test_a_link_that_is_altered_or_of_another_address_stops_nothing(eve: User, client: Client) -> None:
    path = path_of(eve)
    assert client.post(f"{path[:-3]}/").status_code == client.post("/notifications/stop/x/").status_code == 404
    User.objects.filter(pk=eve.pk).update(email="other@example.com")
    assert client.post(path).status_code == 404
    assert not NotificationChoices.objects.exists()


def test_links_are_counted_by_address() -> None:
    answers = [Client(REMOTE_ADDR="192.0.2.8").post("/notifications/stop/x/").status_code for _ in range(21)]
    assert answers == [404] * 20 + [429]

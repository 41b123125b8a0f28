"""The outbox and the words of the question: what is shown, what is refused, what a press does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reclamation.asking import concerns, wording
from reclamation.asking.wording import Wording
from reclamation.models import NoticeTemplate
from reclamation.states import State
from samsaas import outbox
from samsaas.models import AuditEntry, Mail
from tests import factories, worlds
from tests.reclamation.asking import world
from tests.reclamation.asking.world import DAY, MINUTE, MONDAY

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
GOOD = {"subject": "Still {product}?", "text": "Hi {name}, open {link} until {until}.", "version": "0"}


@pytest.fixture(autouse=True)
def monday() -> Any:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


def page_of(client: Any, path: str, **fields: Any) -> str:
    answer = client.post(path, fields, follow=True) if fields else client.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_the_outbox_shows_every_mail_as_sent_and_says_where_mails_stay(signed_in: Any) -> None:
    one, boss = world.asked(), signed_in("sam_admin")
    listed = page_of(boss, "/outbox/")
    assert "Kept here" in listed and one.number in listed and "Mails are kept here and not sent" in listed
    mail = Mail.objects.get()
    page = page_of(boss, f"/outbox/{mail.pk}/")
    assert "7 December 2026" in page and "[link]" in page
    assert f'href="{mail.secret}"' in page, "the demo’s user opens it as the account’s user"


def test_a_link_that_was_really_sent_is_shown_to_nobody(signed_in: Any) -> None:
    world.asked()
    token = world.token_of(world.RemovalCandidate.objects.get())
    Mail.objects.update(kept=False)
    mail = Mail.objects.get()
    assert token not in page_of(signed_in("admin"), f"/outbox/{mail.pk}/")


def test_where_nobody_receives_mails_of_a_real_vendor_the_page_warns(signed_in: Any, settings: Any) -> None:
    settings.KEPT_MAILS_COUNT = False
    page = page_of(signed_in("sam_admin"), "/outbox/")
    assert "notice-warn" in page and "does not lose anything" in page


def test_a_failed_mail_shows_the_servers_words_and_resending_asks_anew(signed_in: Any) -> None:
    one, boss = world.asked(), signed_in("sam_admin")
    mail = Mail.objects.get()
    Mail.objects.update(state="failed", error="550 5.1.1 <b>No such user</b>")
    from reclamation.asking import sweep  # noqa: PLC0415

    sweep.run(MONDAY + MINUTE)
    assert world.reread(one).state == State.ATTENTION_REQUIRED
    page = page_of(boss, f"/outbox/{mail.pk}/")
    assert "&lt;b&gt;No such user" in page and "Send again" in page
    said = page_of(boss, f"/outbox/{mail.pk}/resend/", go="1")
    assert f"{one.number} is asked again, with a new link" in said
    assert world.reread(one).state == State.AWAITING_USER and Mail.objects.count() == 2
    assert AuditEntry.objects.filter(verb="asked again", actor_id=boss.user.pk).exists()


def test_what_is_over_or_has_not_failed_is_not_sent_again(signed_in: Any, account: Any) -> None:
    from reclamation import workflow  # noqa: PLC0415

    one, boss = world.asked(), signed_in("sam_admin")
    mail = Mail.objects.get()
    assert "It has not failed" in page_of(boss, f"/outbox/{mail.pk}/resend/", go="1")
    workflow.skip(one, reason="x", by=boss.user, now=MONDAY)
    Mail.objects.update(state="failed")
    assert "What it asks is over" in page_of(boss, f"/outbox/{mail.pk}/resend/", go="1")
    assert Mail.objects.get().state == "failed"


def test_a_failed_reminder_is_sent_again_with_the_same_link(signed_in: Any) -> None:
    one, boss = world.asked(), signed_in("sam_admin")
    friday = MONDAY + 4 * DAY
    world.minute(friday)
    reminder = Mail.objects.get(notice__kind="reminder")
    Mail.objects.filter(pk=reminder.pk).update(state="failed", error="450 later")
    assert "queued again" in page_of(boss, f"/outbox/{reminder.pk}/resend/", go="1")
    reminder.refresh_from_db()
    assert reminder.state == "queued" and reminder.give_up_at == one.deadline


def test_a_mail_that_came_back_is_noted_once(signed_in: Any) -> None:
    one, boss = world.asked(), signed_in("sam_admin")
    Mail.objects.update(kept=False)
    mail = Mail.objects.get()
    assert "Noted" in page_of(boss, f"/outbox/{mail.pk}/returned/", go="1")
    assert "It is not a mail that was sent" in page_of(boss, f"/outbox/{mail.pk}/returned/", go="1")
    world.minute(MONDAY + MINUTE)
    assert world.reread(one).attention.startswith(concerns.NOT_SENT)


def test_the_outbox_costs_the_same_for_one_mail_and_for_thirty(signed_in: Any) -> None:
    boss, rule = signed_in("sam_admin"), world.rule()
    world.asked(rule)
    boss.get("/outbox/")  # the first visit of a session costs more
    with CaptureQueriesContext(connection) as few:
        boss.get("/outbox/")
    for _ in range(29):
        world.asked(rule)
    with CaptureQueriesContext(connection) as many:
        boss.get("/outbox/")
    assert len(few) == len(many)


def test_an_empty_outbox_and_no_approvals_say_what_would_be_there(signed_in: Any) -> None:
    boss = signed_in("sam_admin")
    assert "No mail yet" in page_of(boss, "/outbox/")
    assert "Nothing waits for an approval" in page_of(boss, "/approvals/")


@pytest.mark.parametrize("query", worlds.nonsense(("q", "state", "kind", "sort", "page", "per_page")))
def test_no_query_string_breaks_the_outbox(signed_in: Any, query: str) -> None:
    assert signed_in("sam_admin").get(f"/outbox/?{query}").status_code in (200, 400)


def test_the_words_are_changed_once_at_a_time_and_noted(signed_in: Any) -> None:
    boss = signed_in("sam_admin")
    assert "The words were saved" in page_of(boss, "/outbox/text/", **GOOD, save="1")
    overtaken = page_of(boss, "/outbox/text/", **GOOD, save="1")
    assert "Somebody else saved these words meanwhile. Open it again and repeat your change." in overtaken
    stored = NoticeTemplate.objects.get()
    assert (stored.subject, stored.version, stored.changed_by) == (GOOD["subject"], 1, boss.user)
    line = AuditEntry.objects.get(verb="changed text of notices")
    assert line.detail["after"]["subject"] == GOOD["subject"]
    one = world.asked()
    mail = Mail.objects.get(notice__candidate=one)
    assert mail.subject.startswith("Still ") and mail.body == "Hi Ann Lee, open [link] until 7 December 2026."


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("text", "Hi {name}", "The text needs {link}"),
        ("text", "{link} {nmae}", "There is no variable {nmae}"),
        ("text", "{link} {name.password}", "There is no variable {name.password}"),
        ("text", "{link} {0.__class__}", "There is no variable {0.__class__}"),
        ("text", "{link} {", "without its other half"),
        ("text", "{link} }", "without its other half"),
        ("text", "{link} {{name}}", "without its other half"),
        ("text", "{link} {}", "There is no variable {}"),
        ("subject", "{link}", "cannot stand in the subject"),
        ("subject", "{price}", "There is no variable {price}"),
        ("subject", "", "This field is required"),
        ("subject", "x" * 151, "at most 150 characters"),
        ("text", "{link}" + "x" * 5000, "at most 5000 characters"),
    ],
)
def test_words_that_cannot_be_sent_are_not_saved(signed_in: Any, field: str, text: str, said: str) -> None:
    from django.utils.html import escape  # noqa: PLC0415

    page = page_of(signed_in("sam_admin"), "/outbox/text/", **{**GOOD, field: text}, save="1")
    assert escape(said) in page and not NoticeTemplate.objects.exists()


def test_the_preview_has_a_real_candidate_and_saves_nothing(signed_in: Any) -> None:
    one = world.candidate()
    page = page_of(signed_in("sam_admin"), "/outbox/text/", **GOOD, preview="1")
    assert "Hi <" not in page and "Ann Lee" in page and one.number in page and "7 December 2026" in page
    assert not NoticeTemplate.objects.exists() and not Mail.objects.exists()


def test_a_test_goes_to_whoever_asks_for_it_and_keeps_nothing(signed_in: Any, monday: Any) -> None:
    monday.move_to(MONDAY + timedelta(days=5))  # a Saturday
    boss = signed_in("sam_admin", email="boss@example.com")
    page_of(boss, "/outbox/text/", **GOOD, test="1")
    mail = Mail.objects.get()
    assert (mail.to, mail.subject[:12]) == ("boss@example.com", "[Test] Still")
    outbox.send_due(MONDAY + timedelta(days=5))
    assert Mail.objects.get().state == "sent"
    assert boss.get("/keep/only-a-test").status_code == 404


def test_without_an_address_of_ones_own_no_test_is_sent(signed_in: Any) -> None:
    page = page_of(signed_in("sam_admin", email=""), "/outbox/text/", **GOOD, test="1")
    assert "Your account has no e-mail address" in page and not Mail.objects.exists()


@pytest.mark.parametrize(
    "name", ["[link]", "[LINK]", "[day +999]", "{link}", "{until}", "a\r\nBcc: x@example.com", "\x1b[31m"]
)
def test_no_name_becomes_a_link_a_date_or_a_header(name: str) -> None:
    one = world.candidate(person=factories.person("ann@example.com", name=name.replace("\x1b", "?")))
    one.software_model = name
    words = wording.question(one, until="tomorrow")
    assert words.text.count(outbox.LINK) == 1 and "[day" not in words.text
    assert "\n" not in words.subject and outbox.LINK not in words.subject
    assert words.text.count("tomorrow") == 1


def test_a_value_is_filled_in_once_and_never_read_as_a_template() -> None:
    filled = wording.fill(Wording("{name}", "{name} {link}"), {"name": "{product}", "product": "x", "link": "L"})
    assert filled == Wording("{product}", "{product} L")


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"last_activity": "2026-09-03T10:00:00+00:00", "covered": True}, "3 September 2026"),
        ({"last_activity": None, "covered": True}, "none in all the time that was read"),
        ({"last_activity": None, "covered": False}, "not known"),
    ],
)
def test_the_mail_says_when_it_was_last_used(evidence: dict[str, Any], said: str) -> None:
    assert said in wording.question(world.candidate(evidence=evidence), until="x").text


def test_the_candidates_page_tells_what_was_asked_and_answered(signed_in: Any, account: Any) -> None:
    from reclamation.asking import keep  # noqa: PLC0415

    boss = signed_in("sam_admin", email="boss@example.com")
    plain = world.candidate()
    assert "Asked and answered" not in page_of(boss, plain.get_absolute_url())
    one = world.asked()
    keep.run(world.token_of(one), "I <need> it", None, MONDAY + MINUTE)
    page = page_of(boss, one.get_absolute_url())
    assert "Asked and answered" in page and "I &lt;need&gt; it" in page and "May the user keep it?" in page
    assert page_of(signed_in("sam_user"), one.get_absolute_url()).count("/outbox/") == 0


def test_an_account_is_tied_to_a_person_by_hand_and_never_twice(signed_in: Any, account: Any) -> None:
    boss, user = signed_in("sam_admin"), account("", username="max")
    first, second = factories.person("max@example.com", name="Max"), factories.person(name="Mo")
    page_of(boss, f"/people/{first.pk}/account/", account=user.pk)
    first.refresh_from_db()
    assert first.account == user and "max" in page_of(boss, f"/people/{first.pk}/")
    assert AuditEntry.objects.get(verb="changed account of person").detail == {"before": "", "after": "max"}
    assert f'value="{user.pk}"' not in page_of(boss, f"/people/{second.pk}/account/")
    page = page_of(boss, f"/people/{second.pk}/account/", account=user.pk)
    assert "Select a valid choice" in page and world.reread(second).account is None
    page_of(boss, f"/people/{first.pk}/account/", account="")
    assert world.reread(first).account is None

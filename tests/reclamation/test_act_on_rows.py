"""What one row offers is offered for all that are ticked: exemptions are ended, failed mails are sent again."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from reclamation import workflow
from reclamation.asking import sweep
from reclamation.models import Exemption
from reclamation.rules import exempt
from reclamation.rules.exempt import Protection
from reclamation.states import State
from samsaas.lib import act_on_rows
from samsaas.models import AuditEntry, Mail
from tests import factories, pages
from tests.reclamation.asking import world
from tests.reclamation.asking.world import DAY, MINUTE, MONDAY

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
EXEMPTIONS, OUTBOX = "/exemptions/", "/outbox/"


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


@pytest.fixture
def exempt_people(keeper: Any) -> list[Exemption]:
    people = [factories.person(f"{name.lower()}@one.example", name=name) for name in ("Ada", "Bob", "Cyd")]
    protections = [Protection(person=one, reason="Auditor", until=None) for one in people]
    return [exempt.add(one, by=keeper.user, now=timezone.now()) for one in protections]


def test_ticked_exemptions_end_together_and_each_leaves_a_line(keeper: Any, exempt_people: list[Exemption]) -> None:
    exempt.end(exempt_people[2], by=keeper.user, now=timezone.now())
    shown = pages.tick(keeper, EXEMPTIONS, "end", exempt_people)
    text = pages.text_of(shown.content.decode())
    assert "End 2 exemptions?" in text and "2 of 3 can be ended; 1 has ended already." in text
    assert "Ada: Auditor" in text and "Bob: Auditor" in text and "Cyd: Auditor" not in text
    assert Exemption.objects.open().count() == 2, "a look does nothing"
    assert "2 exemptions were ended." in pages.confirm(keeper, shown)
    assert not Exemption.objects.open().exists()
    assert AuditEntry.objects.filter(verb="ended exemption", actor_id=keeper.user.pk).count() == 3


def test_what_changed_since_it_was_shown_is_shown_again(keeper: Any, exempt_people: list[Exemption]) -> None:
    shown = pages.tick(keeper, EXEMPTIONS, "end", exempt_people[:2])
    exempt.end(exempt_people[0], by=keeper.user, now=timezone.now())
    assert "1 fewer matches now" in pages.confirm(keeper, shown)
    assert Exemption.objects.open().count() == 2


def test_more_than_can_be_done_one_by_one_are_refused(
    keeper: Any, exempt_people: list[Exemption], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act_on_rows, "MOST_ROWS", 2)
    said = pages.text_of(pages.tick(keeper, EXEMPTIONS, "end", exempt_people).content.decode())
    assert "At most 2 can be ended at once." in said and Exemption.objects.open().count() == 3


def test_a_reader_of_exemptions_has_no_tick_boxes(signed_in: Any, exempt_people: list[Exemption]) -> None:
    reader = signed_in("sam_user")
    page = reader.get(EXEMPTIONS).content.decode()
    assert "Ada" in page and 'name="row"' not in page and "/end/" not in page
    assert reader.post(f"{EXEMPTIONS}select/").status_code == 403
    assert reader.post(f"{EXEMPTIONS}end-selected/").status_code == 403


@pytest.fixture
def monday_keeper(signed_in: Any) -> Any:
    with time_machine.travel(MONDAY, tick=False):
        yield signed_in("sam_admin")


def test_failed_mails_are_sent_again_together_and_a_dead_question_is_asked_anew(monday_keeper: Any) -> None:
    one = world.asked()
    question = Mail.objects.get()
    Mail.objects.update(state="failed", error="550 5.1.1 No such user")
    sweep.run(MONDAY + MINUTE)
    assert world.reread(one).state == State.ATTENTION_REQUIRED
    times = {"queued_at": MONDAY, "not_before": MONDAY, "give_up_at": MONDAY + DAY}
    to_test, sent = (
        Mail.objects.create(to="a@one.example", subject=f"{state} one", body="x", state=state, **times)
        for state in ("failed", "sent")
    )
    shown = pages.tick(monday_keeper, OUTBOX, "resend", [question, to_test, sent])
    text = pages.text_of(shown.content.decode())
    assert "Send again 2 mails?" in text and "1 has not failed." in text
    assert "2 mails were sent again." in pages.confirm(monday_keeper, shown)
    assert world.reread(one).state == State.AWAITING_USER and Mail.objects.get(pk=to_test.pk).state == "queued"
    said = AuditEntry.objects.filter(actor_id=monday_keeper.user.pk).values_list("verb", flat=True)
    assert {"asked again", "sent mail again"} <= set(said)


def test_a_mail_that_asks_nothing_any_more_stays_and_its_reason_is_said(monday_keeper: Any) -> None:
    one, question = world.asked(), Mail.objects.get()
    Mail.objects.update(state="failed")
    shown = pages.tick(monday_keeper, OUTBOX, "resend", [question])
    workflow.skip(one, reason="x", by=monday_keeper.user, now=MONDAY)
    said = pages.confirm(monday_keeper, shown)
    assert "0 mails were sent again." in said and "1 mail stayed. What it asks is over" in said

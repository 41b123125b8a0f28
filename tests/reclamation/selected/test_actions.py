"""Acting on selected candidates: exactly on those that were shown, and never on one in another state."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from reclamation import workflow
from reclamation.models import CandidateNote, ReclamationRule, RemovalAttempt, RemovalCandidate, StateChange
from reclamation.selected import close
from reclamation.states import State
from samsaas.lib import weigh_selection
from samsaas.models import AuditEntry
from subscriptions.models import Subscription
from tests import factories, pages
from tests.reclamation.selected import choosing
from tests.reclamation.selected.choosing import LIST, SELECT, Page

pytestmark = pytest.mark.django_db
CLOSE, ASSIGN, NOTE, UNDO = (f"{LIST}{name}/" for name in ("close", "assign", "note", "assign/undo"))
REASON = {"reason": "They are on a long project"}


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin", username="maria")


class Confirmation:
    """The page of an action, as its reader sees and sends it."""

    def __init__(self, client: Any, answer: Any) -> None:
        self.client, self.answer = client, answer
        self.html = answer.content.decode()
        self.text = pages.text_of(self.html)
        self.hidden = dict(re.findall(r'<input type="hidden" name="(selection|seen)" value="([^"]*)"', self.html))

    def send(self, **fields: Any) -> Confirmation:
        path = self.answer.wsgi_request.path
        return Confirmation(self.client, self.client.post(path, {**self.hidden, **fields}, follow=True))


def press(page: Page, action: str) -> Confirmation:
    return Confirmation(page.client, page.client.post(SELECT, page.fields(action), follow=True))


def states() -> list[str]:
    return list(RemovalCandidate.objects.order_by("pk").values_list("state", flat=True))


def test_a_hundred_and_twenty_candidates_are_closed_with_history_audit_and_a_promise(manager: Any) -> None:
    choosing.candidates(120)
    kept_out = choosing.candidates(1, justification="unlicensed")[0]
    page = Page.open(manager, f"{LIST}?justification=low_usage&per_page=25").press("all")
    shown = press(page, "close")
    assert "Close 120 candidates as skipped?" in shown.text and "All 120 can be closed." in shown.text
    done = shown.send(**REASON)
    assert "120 candidates were closed as skipped." in done.text
    assert states() == [State.CLOSED_SKIPPED] * 120 + [State.READY]
    moves = StateChange.objects.filter(to_state=State.CLOSED_SKIPPED)
    assert moves.count() == 120 and set(moves.values_list("reason", "by__username", "from_state")) == {
        (REASON["reason"], "maria", "ready")
    }
    assert AuditEntry.objects.filter(verb="moved removal candidate", actor_name="maria").count() == 120
    until = timezone.localdate() + timedelta(days=90)
    assert set(Subscription.objects.exclude(pk=kept_out.subscription_id).values_list("keep_until", flat=True)) == {
        until
    }
    assert Subscription.objects.get(pk=kept_out.subscription_id).keep_until is None


def test_each_subscription_is_kept_as_long_as_its_rule_says_in_every_profile_of_the_team(manager: Any) -> None:
    profile, twin = factories.profile(team_id="dbtid:1"), factories.profile(team_id="dbtid:1")
    stranger = factories.profile(team_id="dbtid:2")
    rule = ReclamationRule.objects.create(
        software_model=factories.software_model(), name="SAM", cool_down_days=10, made_at=timezone.now()
    )
    short, long = choosing.candidates(1, profile=profile, rule=rule)[0], choosing.candidates(1, profile=profile)[0]
    same = factories.subscription(profile=twin, external_id=short.external_id)
    other = factories.subscription(profile=stranger, external_id=short.external_id)
    later = timezone.localdate() + timedelta(days=50)
    Subscription.objects.filter(pk=same.pk).update(keep_until=later)
    press(Page.open(manager, LIST).press("all"), "close").send(**REASON)
    day = lambda pk: Subscription.objects.get(pk=pk).keep_until  # noqa: E731
    assert day(short.subscription_id) == timezone.localdate() + timedelta(days=10)
    assert day(long.subscription_id) == timezone.localdate() + timedelta(days=90)
    assert day(same.pk) == later and day(other.pk) is None


@pytest.mark.parametrize(("days", "is_taken"), [(-1, False), (0, True), (30, True), (366, True), (367, False)])
def test_a_day_until_which_they_are_kept_is_from_today_on_within_a_year(
    manager: Any, days: int, is_taken: bool
) -> None:
    (one,) = choosing.candidates(1)
    until = timezone.localdate() + timedelta(days=days)
    done = press(Page.open(manager, LIST).tick(0), "close").send(**REASON, keep_until=until.isoformat())
    assert ("was closed as skipped" in done.text) == is_taken
    assert ("This day is over" in done.text or "more than a year" in done.text) != is_taken
    assert (Subscription.objects.get(pk=one.subscription_id).keep_until == until) == is_taken


def test_those_in_another_state_are_left_out_and_counted(manager: Any) -> None:
    found = choosing.candidates(15)
    page = Page.open(manager, LIST).press("page")
    for one in found[:3]:
        workflow.skip(one, reason="Quicker", by=manager.user, now=timezone.now())
    begin_removal(found[3])
    RemovalCandidate.objects.filter(pk=found[4].pk).delete()
    text = press(page, "close").text
    assert "10 of 15 can be closed; 3 are closed already, " in text
    assert "1 is being removed (restore it instead)" in text and "1 is not there any more" in text
    press(page, "close").send(**REASON)
    assert states().count(State.CLOSED_SKIPPED) == 13
    assert StateChange.objects.filter(reason=REASON["reason"]).count() == 10


def begin_removal(candidate: RemovalCandidate, **fields: Any) -> RemovalAttempt:
    RemovalCandidate.objects.filter(pk=candidate.pk).update(state=State.AWAITING_REVOCATION)
    defaults: dict[str, Any] = {"state": "removed", "intent_at": timezone.now(), "withdrawn_at": timezone.now()}
    return RemovalAttempt.objects.create(
        **{"candidate": candidate, "profile": candidate.profile, "vendor": "dropbox", "team_id": "dbtid:1"},
        **{"external_id": candidate.external_id, "opened_at": timezone.now(), **defaults, **fields},
    )


BEGUN = [
    *({"state": state} for state in ("calling", "job", "unknown", "removed", "restoring")),
    {"state": "moving", "destination_external_id": "dbmid:admin"},
    {"state": "needs_human"},
    {"state": "needs_human", "withdrawn_at": None, "error_kind": "AnswerLost"},
]


@pytest.mark.parametrize("fields", BEGUN)
def test_a_removal_that_has_begun_is_not_ended_by_a_word(manager: Any, fields: dict[str, Any]) -> None:
    (one,) = choosing.candidates(1)
    begin_removal(one, **fields)
    told = press(Page.open(manager, LIST).tick(0), "close")
    assert "None of 1 can be closed; 1 is being removed" in told.text and "Select others" in told.text
    assert states() == [State.AWAITING_REVOCATION]


@pytest.mark.parametrize("fields", [{"state": "approved"}, {"state": "gated"}, {"state": "needs_human"}])
def test_a_removal_that_has_not_begun_ends_with_its_candidate(manager: Any, fields: dict[str, Any]) -> None:
    (one,) = choosing.candidates(1)
    begin_removal(one, intent_at=None, withdrawn_at=None, **fields)
    press(Page.open(manager, LIST).tick(0), "close").send(**REASON)
    assert states() == [State.CLOSED_SKIPPED]


def test_three_more_that_match_since_all_were_selected_are_told_on_the_page(manager: Any) -> None:
    choosing.candidates(5)
    page = Page.open(manager, LIST).press("all")
    choosing.candidates(3)
    shown = press(page, "close")
    assert "3 more match now than when you selected them: 8, not 5." in shown.text
    assert "All 8 can be closed." in shown.text
    shown.send(**REASON)
    assert states() == [State.CLOSED_SKIPPED] * 8


def test_a_list_that_changed_between_the_page_and_the_press_is_told_and_confirmed_again(manager: Any) -> None:
    found = choosing.candidates(5)
    shown = press(Page.open(manager, LIST).press("all"), "close")
    choosing.candidates(1)
    again = shown.send(**REASON)
    assert "1 more matches now than when this page was shown: 6, not 5." in again.text
    assert REASON["reason"] in again.html and states() == [State.READY] * 6
    workflow.skip(found[0], reason="Quicker", by=manager.user, now=timezone.now())
    choosing.candidates(1)
    third = again.send(**REASON)
    assert "other rows match now, though still 6" in third.text and states().count(State.READY) == 6
    assert "6 candidates were closed" in third.send(**REASON).text


def test_ticked_rows_that_another_person_closed_meanwhile_are_told_and_not_closed_twice(manager: Any) -> None:
    found = choosing.candidates(3)
    shown = press(Page.open(manager, LIST).press("page"), "close")
    workflow.skip(found[0], reason="Quicker", by=manager.user, now=timezone.now())
    again = shown.send(**REASON)
    assert "1 fewer matches now" in again.text and "2 of 3 can be closed; 1 is closed already." in again.text
    again.send(**REASON)
    assert StateChange.objects.filter(candidate=found[0], to_state=State.CLOSED_SKIPPED).count() == 1


@pytest.mark.parametrize("seen", ["", "5", "5-", "x-y", "-1-abc", "9" * 500, "\u0663-abc"])
def test_an_altered_mark_of_what_was_seen_does_nothing(manager: Any, seen: str) -> None:
    choosing.candidates(2)
    shown = press(Page.open(manager, LIST).press("all"), "close")
    assert "Close 2 candidates as skipped?" in shown.send(**REASON, seen=seen).text
    assert states() == [State.READY] * 2


def test_candidates_that_move_while_they_are_closed_are_counted(manager: Any, monkeypatch: Any) -> None:
    found = choosing.candidates(3)
    shown = press(Page.open(manager, LIST).press("page"), "close")
    whole = close.run

    def late(*args: Any, **options: Any) -> int:
        workflow.skip(found[1], reason="Quicker", by=manager.user, now=timezone.now())
        return whole(*args, **options)

    monkeypatch.setattr(close, "run", late)
    assert "2 candidates were closed as skipped. 1 had changed and stayed." in shown.send(**REASON).text


def test_assigning_names_an_account_a_group_or_nobody_and_the_list_can_show_mine(manager: Any, account: Any) -> None:
    found = choosing.candidates(4)
    ben, reader = account("admin", username="ben"), account("sam_user", username="rita")
    team = Group.objects.create(name="License team")
    shown = press(Page.open(manager, LIST).tick(0, 1), "assign")
    options = re.findall(r'<option value="([^"]*)"', shown.html)
    assert f"user-{ben.pk}" in options and f"group-{team.pk}" in options and f"user-{reader.pk}" not in options
    assert f"group-{Group.objects.get(name='sam_user').pk}" not in options
    assert "2 candidates are assigned to maria now." in shown.send(assignee=f"user-{manager.user.pk}").text
    mine = manager.get(f"{LIST}?assigned=me").content.decode()
    assert pages.rows_behind(manager, f"{LIST}?assigned=me") == 2 and "maria" in mine
    press(Page.open(manager, f"{LIST}?assigned=nobody").tick(0), "assign").send(assignee=f"group-{team.pk}")
    assert pages.rows_behind(manager, f"{LIST}?assigned=nobody") == 1
    assert pages.rows_behind(manager, f"{LIST}?assigned=groups") == 0
    manager.user.groups.add(team)
    assert pages.rows_behind(manager, f"{LIST}?assigned=groups") == 1
    last = AuditEntry.objects.filter(verb="assigned removal candidate").first()
    assert last is not None and last.detail == {"before": "nobody", "after": "License team"}
    press(Page.open(manager, f"{LIST}?assigned=me").press("all"), "assign").send(assignee="nobody")
    assert pages.rows_behind(manager, f"{LIST}?assigned=me") == 0
    assert {one.state for one in found} == {State.READY}


def test_an_assignment_is_undone_where_nobody_has_changed_it_since(manager: Any, account: Any) -> None:
    found = choosing.candidates(4)
    ben = account("sam_admin", username="ben")
    RemovalCandidate.objects.filter(pk=found[0].pk).update(assigned_to=ben)
    press(Page.open(manager, LIST).press("page"), "assign").send(assignee=f"user-{manager.user.pk}")
    assert "Undo the assignment" in manager.get(LIST).content.decode()
    RemovalCandidate.objects.filter(pk=found[1].pk).update(assigned_to=ben)
    workflow.skip(found[2], reason="Done", by=ben, now=timezone.now())
    told = pages.text_of(manager.post(UNDO, follow=True).content.decode())
    assert "The assignment of 2 candidates was undone." in told and "2 candidates stayed" in told
    after = dict(RemovalCandidate.objects.values_list("pk", "assigned_to__username"))
    assert [after[one.pk] for one in found] == ["ben", "ben", "maria", None]
    assert "Undo the assignment" not in manager.get(LIST).content.decode()
    assert "no assignment to undo" in manager.post(UNDO, follow=True).content.decode()


@pytest.mark.parametrize("choice", ["", "user-0", "user-999999", "group-1e9", "everybody", "user-'; --"])
def test_nobody_can_be_assigned_who_may_not_decide(manager: Any, account: Any, choice: str) -> None:
    choosing.candidates(1)
    shown = press(Page.open(manager, LIST).tick(0), "assign").send(assignee=choice)
    assert "assigned to" not in pages.text_of(shown.html).replace("Assigned to", "")
    assert RemovalCandidate.objects.filter(assigned_to=None, assignment_group=None).count() == 1


def test_a_note_is_added_to_each_also_to_closed_ones_and_stays_text(manager: Any) -> None:
    found = [*choosing.candidates(2), *choosing.candidates(1, state=State.CLOSED_SKIPPED)]
    page = Page.open(manager, f"{LIST}?state=all").press("all")
    hostile = "<script>alert(1)</script>\u202e see the ticket"
    assert "The note was added to 3 candidates." in press(page, "note").send(text=hostile).text
    assert set(CandidateNote.objects.values_list("candidate", "by__username")) == {(one.pk, "maria") for one in found}
    shown = manager.get(found[0].get_absolute_url()).content.decode()
    assert "see the ticket" in shown and "<script>alert" not in shown and "\u202e" not in shown
    assert AuditEntry.objects.filter(verb="added note to removal candidate").count() == 3


@pytest.mark.parametrize("address", [CLOSE, ASSIGN, NOTE])
def test_a_reader_cannot_act_even_with_a_selection_of_their_own(signed_in: Any, address: str) -> None:
    choosing.candidates(2)
    reader = signed_in("sam_user")
    page = Page.open(reader, LIST).press("all")
    for answer in (
        reader.get(address, {"selection": page.token}),
        reader.post(address, {"selection": page.token, **REASON, "text": "x", "assignee": "nobody"}),
    ):
        assert answer.status_code == 403
    told = reader.post(SELECT, page.fields("close"))
    assert told["Location"].startswith(f"{LIST}?")
    assert states() == [State.READY] * 2 and not CandidateNote.objects.exists()


@pytest.mark.parametrize("address", [CLOSE, ASSIGN, NOTE])
@pytest.mark.parametrize("token", ["", "unknown-token", "x" * 9000])
def test_an_action_without_its_selection_goes_back_to_the_list(manager: Any, address: str, token: str) -> None:
    choosing.candidates(1)
    for answer in (
        manager.get(address, {"selection": token[:4000]}, follow=True),
        manager.post(address, {"selection": token, **REASON}, follow=True),
    ):
        assert "This selection is over" in answer.content.decode()
    assert states() == [State.READY]


def test_more_than_can_be_done_in_one_press_is_refused_before_the_form(manager: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(weigh_selection, "MOST_AT_ONCE", 4)
    choosing.candidates(5)
    page = Page.open(manager, LIST).press("all")
    assert "can be changed at once" in press(page, "close").text
    assert "Close 4 candidates" in press(page.untick(0), "close").text


def test_every_action_costs_as_many_queries_for_one_row_as_for_all(manager: Any) -> None:
    def cost(count: int) -> list[int]:
        RemovalCandidate.objects.all().delete()
        choosing.candidates(count)
        spent = []
        for action, fields in (("note", {"text": "x"}), ("assign", {"assignee": "nobody"}), ("close", REASON)):
            page = Page.open(manager, LIST).press("all")
            address = manager.post(SELECT, page.fields(action))["Location"]
            spent.append(choosing.queries_of(lambda a=address: manager.get(a)))
            hidden = Confirmation(manager, manager.get(address)).hidden
            spent.append(choosing.queries_of(lambda a=address, h=hidden, f=fields: manager.post(a, {**h, **f})))
        return spent

    cost(1)
    assert cost(1) == cost(30) == cost(120)

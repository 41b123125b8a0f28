"""Approvals: who is asked, who may answer, what an answer does, and what silence means. Cases 28 to 31."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from reclamation import workflow
from reclamation.asking import approve, approvers, ask, keep, sweep
from reclamation.models import Approval, KeepAnswer, Notice, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.states import State
from samsaas.models import Mail
from subscriptions.people import tie_account
from tests import factories
from tests.reclamation.asking import world
from tests.reclamation.asking.world import DAY, MINUTE, MONDAY

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
APPROVE, REJECT = Approval.Answer.APPROVE, Approval.Answer.REJECT


def requested(rule: Any = None, *, by: Any = None, until: date | None = None, **fields: Any) -> Approval:
    """The open question about a user who wants to keep it."""
    one = world.asked(rule, by=by, **fields)
    keep.run(world.token_of(one), "I need it.", until, MONDAY + MINUTE)
    return Approval.objects.select_related("candidate").get(candidate=one, at=None)


def removal(rule: Any = None, *, by: Any = None, **fields: Any) -> Approval:
    """The open question whether a subscription may be removed."""
    fields.setdefault("justification", RemovalCandidate.Justification.UNLICENSED)
    return approve.ask(world.candidate(rule, **fields), by, MONDAY)


def decide(approval: Approval, answer: str, by: Any, *, now: Any = MONDAY + DAY, note: str = "") -> RemovalCandidate:
    approve.decide(approval, answer, note=note, by=by, now=now)
    return world.reread(approval.candidate)


def addresses_asked() -> set[str]:
    return set(Mail.objects.filter(notice__kind=Notice.Kind.APPROVAL).values_list("to", flat=True))


@pytest.mark.parametrize(("until", "kept"), [(date(2027, 6, 1), date(2027, 6, 1)), (None, date(2027, 3, 1))])
def test_a_granted_request_keeps_until_the_users_day_or_for_the_cool_down(
    account: Any, until: date | None, kept: date
) -> None:
    boss = world.sam_admin(account)
    one = decide(requested(until=until), APPROVE, boss, note="Fine.")
    assert one.state == State.CLOSED_SKIPPED and one.answers.get().granted is True
    assert one.subscription.keep_until == kept
    change = one.history.last()
    assert change.by == boss and "Fine." in change.reason


def test_a_refused_request_goes_on_to_the_removal(account: Any) -> None:
    boss, other = world.sam_admin(account), world.sam_admin(account, "other")
    one = decide(requested(by=other), REJECT, boss)
    assert one.state == State.AWAITING_REVOCATION and one.answers.get().granted is False
    assert RemovalAttempt.objects.get(candidate=one).state == "approved" and one.subscription.keep_until is None


def test_an_approved_removal_goes_on_and_a_rejected_one_keeps(account: Any) -> None:
    boss = world.sam_admin(account)
    yes, no = decide(removal(), APPROVE, boss), decide(removal(), REJECT, boss, note="Not now.")
    assert yes.state == State.AWAITING_REVOCATION and RemovalAttempt.objects.get().candidate_id == yes.pk
    assert no.state == State.CLOSED_SKIPPED and no.subscription.keep_until == date(2027, 3, 1)
    said = KeepAnswer.objects.get(candidate=no)
    assert (said.channel, said.by, said.reason, said.granted) == ("approver", boss, "Not now.", True)


def test_of_unlicensed_software_the_user_is_told_and_the_approver_is_asked(account: Any) -> None:
    world.sam_admin(account)
    one = removal().candidate
    assert {notice.kind: notice.mail.to for notice in one.notices.all()} == {
        "inform": "ann@example.com",
        "approval": "boss@example.com",
    }


def test_a_rule_without_an_approver_asks_nobody() -> None:
    with pytest.raises(ask.NotAsked):
        removal(world.rule(approver="none"))


def test_nobody_approves_what_they_asked_for(account: Any) -> None:
    boss, other = world.sam_admin(account), world.sam_admin(account, "other")
    for approval, answer in ((removal(by=boss), APPROVE), (requested(by=boss), REJECT)):
        with pytest.raises(approve.NotDecided, match="You asked for this removal"):
            decide(approval, answer, boss)
        assert world.reread(approval).at is None and not RemovalAttempt.objects.exists()
    kept = decide(requested(by=boss), APPROVE, boss)
    assert kept.state == State.CLOSED_SKIPPED, "letting the user keep it takes back one's own request"
    assert decide(removal(by=boss), APPROVE, other).state == State.AWAITING_REVOCATION


def test_who_asked_for_the_batch_asked_for_each_of_it(account: Any) -> None:
    boss = world.sam_admin(account)
    world.sam_admin(account, "other")
    batch = RemovalBatch.objects.create(
        profile_name="x", vendor="dropbox", team_id="t", requested_by=boss, requested_at=MONDAY, size=1
    )
    with pytest.raises(approve.NotDecided, match="You asked"):
        decide(removal(batch=batch), APPROVE, boss)


def test_the_second_person_of_a_batch_may_approve_what_another_one_asked_for(account: Any) -> None:
    """Two administrators are enough: one asks, the other lets the batch go on, and approves. The first never may."""
    ann, bob = world.sam_admin(account, "ann"), world.sam_admin(account, "bob")
    batch = RemovalBatch.objects.create(
        profile_name="x",
        vendor="dropbox",
        team_id="t",
        requested_by=ann,
        requested_at=MONDAY,
        decided_by=bob,
        decided_at=MONDAY,
        state=RemovalBatch.State.APPROVED,
        size=1,
    )
    question = removal(by=bob, batch=batch)
    with pytest.raises(approve.NotDecided, match="You asked"):
        decide(question, APPROVE, ann)
    assert decide(question, APPROVE, bob).state == State.AWAITING_REVOCATION


def test_the_first_answer_counts(account: Any) -> None:
    boss, other = world.sam_admin(account), world.sam_admin(account, "other")
    approval = removal()
    decide(approval, REJECT, boss)
    with pytest.raises(approve.NotDecided, match="Somebody else has answered"):
        decide(approval, APPROVE, other)
    assert not RemovalAttempt.objects.exists()


def test_a_candidate_that_moved_on_meanwhile_is_not_decided_on(account: Any) -> None:
    boss, approval = world.sam_admin(account), removal()
    workflow.skip(world.reread(approval.candidate), reason="by hand", by=boss, now=MONDAY)
    with pytest.raises(approve.NotDecided, match="moved on"):
        decide(approval, APPROVE, boss)
    assert world.reread(approval).answer == "", "the answer is not stored either"
    sweep.run(MONDAY + DAY)
    assert world.reread(approval).at == MONDAY, "it ended with its candidate"


def test_an_approval_does_not_remove_what_must_not_be_removed_now(account: Any) -> None:
    boss, approval = world.sam_admin(account), removal()
    approval.candidate.subscription.excluded = True
    approval.candidate.subscription.save()
    with pytest.raises(approve.NotDecided, match="exclusion rule"):
        decide(approval, APPROVE, boss)


def manager_world(account: Any, **manager: Any) -> tuple[Any, Any]:
    """A rule that asks the manager, and Ann, whose manager Max may have an account."""
    world.sam_admin(account)
    max_ = factories.person("max@example.com", name="Max", **manager)
    ann = factories.person("ann@example.com", name="Ann Lee", manager=max_.key)
    return world.rule(approver="manager"), (max_, ann)


def tie(person: Any, user: Any) -> Any:
    tie_account.run(person, user, by=user)
    return user


def test_the_manager_answers_with_the_account_that_a_person_tied_to_them(account: Any) -> None:
    rule, (max_, ann) = manager_world(account)
    user = tie(max_, account("", username="max", email="max@work.example"))
    approval = requested(rule, person=ann)
    assert approval.asked_of_user == user and addresses_asked() == {"max@work.example"}
    with pytest.raises(approve.NotDecided, match="not yours"):
        decide(approval, APPROVE, approvers.User.objects.get(username="boss"))
    assert decide(approval, APPROVE, user).state == State.CLOSED_SKIPPED


@pytest.mark.parametrize(
    "why", ["no account", "left", "closed account", "is the person", "unknown", "same address only"]
)
def test_case_29_where_there_is_no_such_manager_the_group_is_asked(account: Any, why: str) -> None:
    rule, (max_, ann) = manager_world(account, left_on=date(2026, 1, 1) if why == "left" else None)
    if why in ("left", "closed account"):
        tie(max_, account("", username="max", is_active=why != "closed account"))
    if why == "is the person":
        ann.manager = ann.key
        ann.save()
        tie(ann, account("", username="ann"))
    if why == "unknown":
        ann.manager = "E404"
        ann.save()
    if why == "same address only":
        account("", username="max", email="max@example.com")
    approval = requested(rule, person=ann)
    assert approval.asked_of_user is None and approval.asked_of_group.name == "sam_admin"
    assert addresses_asked() == {"boss@example.com"}


def test_a_manager_whose_account_is_closed_after_the_question_is_stood_in_for(account: Any) -> None:
    rule, (max_, ann) = manager_world(account)
    user = tie(max_, account("", username="max"))
    approval = requested(rule, person=ann)
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    approval = Approval.objects.get(pk=approval.pk)
    boss = approvers.User.objects.get(username="boss")
    assert Approval.objects.filter(approvers.asked_of(boss)).count() == 1
    assert decide(approval, APPROVE, boss).state == State.CLOSED_SKIPPED


def test_case_28_nobody_decides_on_themselves_and_the_next_in_the_group_does(account: Any) -> None:
    group = Group.objects.create(name="Dropbox owners")
    ann, next_one = (
        account("", username="ann", email="ann@x.example"),
        account("", username="next", email="n@x.example"),
    )
    group.user_set.add(ann, next_one)
    person = factories.person("ann@example.com", name="Ann Lee")
    tie(person, ann)
    approval = requested(world.rule(assignment_group=group), person=person)
    assert addresses_asked() == {"n@x.example"}
    for answer in (APPROVE, REJECT):
        with pytest.raises(approve.NotDecided, match="your own subscription"):
            decide(approval, answer, ann)
    assert decide(approval, APPROVE, next_one).state == State.CLOSED_SKIPPED


@pytest.mark.parametrize("members", ["none", "only closed accounts", "only the person"])
def test_case_30_an_empty_group_is_stood_in_for_by_sam_admin(account: Any, members: str) -> None:
    boss, group = world.sam_admin(account), Group.objects.create(name="Dropbox owners")
    ann = account("", username="ann", is_active=members == "only the person")
    person = factories.person("ann@example.com")
    if members != "none":
        group.user_set.add(ann)
        tie(person, ann)
    approval = requested(world.rule(assignment_group=group), person=person)
    assert approval.asked_of_group.name == "sam_admin" and addresses_asked() == {"boss@example.com"}
    assert decide(approval, APPROVE, boss).state == State.CLOSED_SKIPPED


def test_a_group_that_is_empty_by_the_time_of_the_answer_is_stood_in_for_too(account: Any) -> None:
    boss, group = world.sam_admin(account), Group.objects.create(name="Dropbox owners")
    group.user_set.add(member := account("", username="member"))
    approval = removal(world.rule(assignment_group=group))
    assert not approvers.is_asked(approval, boss)
    group.user_set.remove(member)
    assert approvers.is_asked(approval, boss)
    assert Approval.objects.filter(approvers.asked_of(boss)).exists()


def test_case_31_whoever_is_alone_is_told_before_the_press(account: Any) -> None:
    boss, one = world.sam_admin(account), world.candidate()
    assert approvers.is_lonely(one, boss) and "second person" in approvers.NOBODY
    account("admin", username="root")
    assert not approvers.is_lonely(one, boss), "the role admin includes sam_admin"


def test_case_31_a_question_that_nobody_else_could_answer_says_that_a_second_account_is_needed(signed_in: Any) -> None:
    boss = signed_in("sam_admin")
    approval = removal(by=boss.user)
    assert "Give a second person an account" in boss.get(f"/approvals/{approval.pk}/").content.decode()


def test_every_role_that_includes_the_groups_role_is_asked_and_no_other(account: Any) -> None:
    users = {role: account(role) for role in ("admin", "sam_admin", "sam_integrator", "sam_user", "")}
    approval = removal()
    asked = {role for role, user in users.items() if approvers.is_asked(approval, user)}
    listed = {role for role, user in users.items() if Approval.objects.filter(approvers.asked_of(user)).exists()}
    assert asked == listed == {"admin", "sam_admin"}


def test_what_is_kept_is_kept_in_every_profile_of_the_team_and_never_for_less(account: Any) -> None:
    boss, approval = world.sam_admin(account), requested(until=date(2027, 6, 1))
    account_id = approval.candidate.external_id
    twin = factories.subscription(profile=factories.profile(team_id="dbtid:1"), external_id=account_id)
    longer = factories.subscription(
        profile=factories.profile(team_id="dbtid:1"), external_id=account_id, keep_until=date(2028, 1, 1)
    )
    stranger = factories.subscription(profile=factories.profile(team_id="dbtid:2"), external_id=account_id)
    decide(approval, APPROVE, boss)
    kept = [world.reread(seat).keep_until for seat in (twin, longer, stranger)]
    assert kept == [date(2027, 6, 1), date(2028, 1, 1), None]


def test_the_silence_of_an_approver_keeps(account: Any) -> None:
    world.sam_admin(account)
    approval = requested(until=date(2027, 8, 1))
    sweep.run(approval.due_at)
    assert world.reread(approval.candidate).state == State.AWAITING_APPROVAL
    sweep.run(approval.due_at + MINUTE)
    one = world.reread(approval.candidate)
    assert one.state == State.CLOSED_SKIPPED and one.subscription.keep_until == date(2027, 8, 1)
    assert one.answers.get().granted is True and world.reread(approval).answer == ""


def test_an_overdue_removal_is_asked_for_once_more_and_given_up_after_thirty_days(account: Any) -> None:
    world.sam_admin(account)
    approval = removal()
    for minutes in range(3):
        sweep.run(approval.due_at + (minutes + 1) * MINUTE)
    mails = Mail.objects.filter(notice__kind="approval").order_by("pk")
    assert [mail.subject.startswith("Reminder: ") for mail in mails] == [False, True]
    sweep.run(MONDAY + 30 * DAY)
    assert world.reread(approval.candidate).state == State.AWAITING_APPROVAL
    sweep.run(MONDAY + 30 * DAY + MINUTE)
    one = world.reread(approval.candidate)
    assert one.state == State.CLOSED_SKIPPED and not RemovalAttempt.objects.exists()
    assert one.subscription.keep_until is not None, "the next find does not bring it again"


def test_mails_to_approvers_do_not_carry_a_power_of_their_own(account: Any, client: Any, signed_in: Any) -> None:
    world.sam_admin(account)
    approval = removal()
    token = world.token_of(approval.candidate, "approval")
    away = client.get(f"/approvals/link/{token}/")
    assert away.status_code == 302 and away["Location"].startswith("/accounts/login/")
    reader = signed_in("sam_user")
    assert reader.get(f"/approvals/link/{token}/")["Location"] == f"/approvals/{approval.pk}/"
    reader.post(f"/approvals/{approval.pk}/", {"answer": "approve"})
    assert world.reread(approval).at is None
    for altered in (token[:-1], token[::-1], "x", "x" * 43):
        assert reader.get(f"/approvals/link/{altered}/")["Location"] == "/approvals/"


def test_an_approver_decides_on_the_page_with_the_evidence(signed_in: Any) -> None:
    boss = signed_in("sam_admin", email="boss@example.com")
    approval = requested()
    page = boss.get(f"/approvals/{approval.pk}/").content.decode()
    assert "I need it." in page and "The user keeps it" in page and approval.candidate.seat_name in page
    assert boss.post(f"/approvals/{approval.pk}/", {"answer": "maybe"}).status_code == 200
    answer = boss.post(f"/approvals/{approval.pk}/", {"answer": "approve", "note": "Fine"}, follow=True)
    assert "Your answer was noted" in answer.content.decode()
    assert world.reread(approval.candidate).state == State.CLOSED_SKIPPED
    again = boss.get(f"/approvals/{approval.pk}/").content.decode()
    assert ">Decide<" not in again and "Fine" in again


def test_whoever_asked_sees_why_not_all_answers_are_theirs(signed_in: Any, account: Any) -> None:
    boss = signed_in("sam_admin")
    world.sam_admin(account, "other")
    approval = removal(by=boss.user)
    page = boss.get(f"/approvals/{approval.pk}/").content.decode()
    assert "You asked for this removal" in page and "Do not remove it" in page and ">Remove it" not in page


def test_an_account_without_a_role_sees_its_own_questions_and_no_others(signed_in: Any, account: Any) -> None:
    rule, (max_, ann) = manager_world(account)
    visitor = signed_in("", username="max")
    other = removal()
    tie(max_, visitor.user)
    own = requested(rule, person=ann)
    page = visitor.get("/approvals/").content.decode()
    assert f"/approvals/{own.pk}/" in page and f"/approvals/{other.pk}/" not in page
    assert visitor.get(f"/approvals/{own.pk}/").status_code == 200
    assert visitor.get(f"/approvals/{other.pk}/").status_code == 403
    assert visitor.get(own.candidate.get_absolute_url()).status_code == 403


def test_ones_own_come_first_and_the_list_costs_the_same_for_thirty(
    signed_in: Any, django_assert_num_queries: Any, account: Any
) -> None:
    group = Group.objects.create(name="Others")
    group.user_set.add(account("", username="somebody"))
    boss, rule = signed_in("sam_admin"), world.rule(assignment_group=group)
    urgent = removal(rule)
    Approval.objects.update(due_at=MONDAY + timedelta(days=1))
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    boss.get("/approvals/")  # the first visit of a session costs more
    with CaptureQueriesContext(connection) as few:
        boss.get("/approvals/")
    mine = removal()
    for _ in range(29):
        removal(rule)
    with CaptureQueriesContext(connection) as many:
        page = boss.get("/approvals/").content.decode()
    assert len(many) == len(few)
    assert page.index(f"/approvals/{mine.pk}/") < page.index(f"/approvals/{urgent.pk}/")
    shown = boss.get("/approvals/?show=mine").content.decode()
    assert shown.count("data-row-link") == 1


@pytest.mark.parametrize("show", ["mine", "answered", "all", "nonsense", "%00"])
def test_filters_of_approvals_take_anything(signed_in: Any, show: str) -> None:
    assert signed_in("sam_user").get(f"/approvals/?show={show}&question=x&page=9").status_code in (200, 400)

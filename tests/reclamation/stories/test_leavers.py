"""Who has left: proposed by the next find, nobody writes to them, and their manager is told what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import execute, queue
from profiles.models import JobRun
from reclamation import find_candidates, reexamine
from reclamation.models import Approval, ReclamationRule, RemovalAttempt, RemovalCandidate
from reclamation.rules import versions
from reclamation.states import State
from samsaas import schedule
from samsaas.models import Mail
from subscriptions.models import Person, Subscription
from tests import factories

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State


@pytest.fixture
def rule(house: Any) -> Any:
    """Users are asked, and everybody with the role approves. Leavers of all kinds are included."""
    return house.rule(notify_user=True, approver="group", threshold_days=30, minimum_age_days=0)


def seat_of_leaver(house: Any, rule: Any, *, days: int = 1, member: Any = None, **fields: Any) -> Subscription:
    """Somebody whose last day was so many days ago, with the account of an idle member or of this one."""
    if not Person.objects.filter(key="BOSS").exists():
        factories.person("boss@example.com", key="BOSS", name="Bo Boss")
    who = member or next(house._idle)
    made = house.candidate(who, rule)
    seat = made.subscription
    made.delete()
    Subscription.objects.filter(pk=seat.pk).update(**fields)
    person = factories.person(
        seat.email, name="Leo Leaver", left_on=timezone.localdate() - timedelta(days=days), manager="BOSS"
    )
    factories.match(seat, person)
    return seat


def find(house: Any) -> None:
    """The end of a refresh: open candidates are looked at again, and new ones are found."""
    for rule in ReclamationRule.objects.filter(versions=None):
        versions.add_version(rule, by=None, now=timezone.now())
    for process, verb in ((reexamine.REEXAMINE, reexamine.run), (find_candidates.FIND, find_candidates.run)):
        run, _ = queue.request(queue.Request(process, JobRun.Trigger.SCHEDULE, profile=house.profile))
        assert run
        execute.run(run.pk, verb)
        run.refresh_from_db()
        assert run.state == JobRun.State.SUCCEEDED, run.error_message


def candidate_of(seat: Subscription) -> RemovalCandidate | None:
    return RemovalCandidate.objects.filter(subscription=seat).order_by("-pk").first()


@pytest.mark.parametrize("days", [1, 20, 70])
def test_a_leaver_is_found_approved_and_removed_and_only_the_manager_is_told(house: Any, rule: Any, days: int) -> None:
    seat = seat_of_leaver(house, rule, days=days)
    find(house)
    candidate = candidate_of(seat)
    assert candidate and (candidate.reason, candidate.is_leaver) == ("leaver", True)
    house.reclaim(candidate)
    assert house.state(candidate)[0] == State.AWAITING_APPROVAL
    question = Approval.objects.get(candidate=candidate)
    said = house.post(f"/approvals/{question.pk}/", house.ann, answer="approve")
    assert house.state(candidate)[0] == State.AWAITING_APPROVAL, f"nobody approves the own request: {said}"
    house.post(f"/approvals/{question.pk}/", house.bob, answer="approve")
    house.go_on()
    assert house.state(candidate) == (State.AWAITING_REVOCATION, Attempt.REMOVED)
    assert house.times_done() == {("remove", seat.external_id): 1}
    told = Mail.objects.exclude(to="").values_list("to", "subject")
    assert {to for to, subject in told if "left" in subject} == {"boss@example.com"}
    assert seat.email not in {to for to, _ in told}, "who has left is not written to"
    house.pass_days(7)
    house.go_on()
    assert house.state(candidate) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
    assert house.files_of(seat.external_id) == house.admin_id


@pytest.mark.parametrize("days", [0, -1])
def test_on_the_last_day_nobody_has_left(house: Any, rule: Any, days: int) -> None:
    seat = seat_of_leaver(house, rule, days=days)
    find(house)
    candidate = candidate_of(seat)
    assert candidate and (candidate.reason, candidate.is_leaver) == ("idle", False), "judged like anybody else"


@pytest.mark.parametrize("when", ["before the press", "after the approval"])
def test_who_is_hired_again_is_left_alone(house: Any, rule: Any, when: str) -> None:
    seat = seat_of_leaver(house, rule)
    find(house)
    candidate = candidate_of(seat)
    assert candidate
    house.reclaim(candidate)
    if when == "after the approval":
        house.post(f"/approvals/{Approval.objects.get().pk}/", house.bob, answer="approve")
    Person.objects.filter(name="Leo Leaver").update(left_on=None)
    if when == "before the press":
        find(house)
    house.go_on()
    assert house.state(candidate)[0] == State.CLOSED_SKIPPED and house.times_done() == {}


def test_use_after_leaving_is_a_persons_also_where_only_the_vendors_log_knows(house: Any, rule: Any) -> None:
    seat = seat_of_leaver(house, rule, days=10)
    find(house)
    candidate = candidate_of(seat)
    assert candidate
    house.reclaim(candidate)
    house.post(f"/approvals/{Approval.objects.get().pk}/", house.bob, answer="approve")
    used = timezone.now() - timedelta(days=3)
    house.sandbox.console().note_use(house.member(seat.external_id), used)
    house.go_on()
    assert house.state(candidate) == (State.ATTENTION_REQUIRED, Attempt.NEEDS_HUMAN) and house.times_done() == {}
    assert f"{used:%-d %b %Y}" in house.page(candidate.get_absolute_url())


def test_use_before_leaving_does_not_keep_the_account(house: Any, rule: Any) -> None:
    seat = seat_of_leaver(house, rule, days=3)
    find(house)
    candidate = candidate_of(seat)
    assert candidate
    house.reclaim(candidate)
    house.post(f"/approvals/{Approval.objects.get().pk}/", house.bob, answer="approve")
    house.sandbox.console().note_use(house.member(seat.external_id), timezone.now() - timedelta(days=6))
    house.go_on()
    assert house.state(candidate)[1] == Attempt.REMOVED


def test_an_administrator_who_left_is_never_proposed_and_stands_on_the_start_page(house: Any, rule: Any) -> None:
    admin = house.team.admins()[1]
    seat = seat_of_leaver(house, rule, member=admin, is_admin=True, is_full_admin=True)
    find(house)
    assert candidate_of(seat) is None
    schedule.count_seats()
    assert "Administrator who left" in house.page("/")


def test_the_invitation_of_somebody_who_left_is_withdrawn_and_no_page_promises_an_undo(house: Any, rule: Any) -> None:
    """A leaver first, an invitation as well: the vendor restores nobody who never joined, and there are no files."""
    invited = next(one for one in house.team.members if one["profile"]["status"][".tag"] == "invited")
    invited["profile"].setdefault("account_id", "")
    seat = seat_of_leaver(house, rule, member=invited, status="invited", account_id="")
    del invited["profile"]["account_id"]
    find(house)
    candidate = candidate_of(seat)
    assert candidate and (candidate.reason, candidate.status_at_opening) == ("leaver", "invited")
    page = house.page(f"/removal-batches/new/?candidate={candidate.pk}")
    assert "Cannot be undone" in page and "undone for" not in page and "There are no files" in page
    house.reclaim(candidate)
    house.post(f"/approvals/{Approval.objects.get().pk}/", house.bob, answer="approve")
    house.go_on()
    attempt = house.attempt(candidate)
    assert house.state(candidate) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
    assert (attempt.restorable_until, attempt.moved_by) == (None, "nothing_to_move")
    house.pass_days(8)
    house.go_on()
    assert house.calls("team/members/move_former_member_files") == 0

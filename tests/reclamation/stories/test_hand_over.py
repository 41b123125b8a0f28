"""The administrator who connected leaves: another one gets a token, and then the old account is reclaimed."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors.dropbox.sandbox.team import TEAM_ROLE
from reclamation.models import Approval, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from subscriptions.models import Subscription
from tests import factories

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State


@pytest.fixture
def old_admin(house: Any) -> Subscription:
    """The seat of the administrator who connected, listed as one."""
    member = house.team.admins()[0]
    seat = house.candidate(member, house.rule()).subscription
    RemovalCandidate.objects.all().delete()
    roles = "\n".join(role["name"] for role in member["roles"])
    Subscription.objects.filter(pk=seat.pk).update(is_admin=True, is_full_admin=True, roles=roles)
    return seat


@pytest.fixture
def other_admin(house: Any) -> str:
    """Another administrator with full rights, who is listed as well."""
    profile = house.team.admins()[1]["profile"]
    names = {"external_id": profile["team_member_id"], "account_id": profile["account_id"], "email": profile["email"]}
    factories.subscription(profile=house.profile, is_admin=True, is_full_admin=True, **names)
    return str(profile["team_member_id"])


def propose(house: Any, seat: Subscription, justification: str = "unlicensed") -> RemovalCandidate | None:
    house.post(f"/subscriptions/{seat.pk}/propose/", house.ann, justification=justification, note="Left us.")
    return RemovalCandidate.objects.filter(subscription=seat).order_by("-pk").first()


def connect_as(house: Any, admin: str) -> None:
    house.connect(house.profile, house.account("ida", "sam_integrator"), admin=admin)


def reclaim(house: Any, candidate: RemovalCandidate, **ticks: str) -> RemovalBatch:
    house.reclaim(candidate, evidence="on", **ticks)
    return RemovalBatch.objects.latest("pk")


def approve(house: Any, batch: RemovalBatch, by: Any) -> None:
    house.post(f"/removal-batches/{batch.pk}/decide/", by, approve="yes")


def test_while_the_account_holds_the_connection_it_cannot_be_proposed(
    house: Any, old_admin: Subscription, other_admin: str
) -> None:
    assert propose(house, old_admin) is None
    assert "Let another administrator press Get OAuth Token first" in house.post(
        f"/subscriptions/{old_admin.pk}/propose/", house.ann, justification="unallocated"
    )
    connect_as(house, other_admin)
    assert propose(house, old_admin) is not None


@pytest.mark.parametrize("justification", ["unallocated", "unlicensed"])
def test_two_persons_confirm_the_administrator_and_the_files_go_to_the_new_one(
    house: Any, old_admin: Subscription, other_admin: str, justification: str
) -> None:
    connect_as(house, other_admin)
    candidate = propose(house, old_admin, justification)
    assert candidate
    batch = reclaim(house, candidate, admins="on")
    assert batch.state == RemovalBatch.State.QUARANTINED
    approve(house, batch, house.ann)
    house.go_on()
    assert house.times_done() == {}, "nobody decides on the own request"
    approve(house, batch, house.bob)
    move_on(house, candidate)
    house.go_on()
    assert house.state(candidate) == (State.AWAITING_REVOCATION, Attempt.REMOVED), house.attempt(
        candidate
    ).error_message
    house.pass_days(7)
    house.go_on()
    assert house.state(candidate)[1] == Attempt.CLOSED and house.files_of(candidate.external_id) == other_admin


def move_on(house: Any, candidate: RemovalCandidate) -> None:
    """Whoever is asked by the defaults agrees, as there is no rule: its user by silence, or an approver."""
    candidate.refresh_from_db()
    if candidate.state == State.AWAITING_USER:
        outbox.send_due(timezone.now())
        house.pass_days(12)
    else:
        house.post(f"/approvals/{Approval.objects.get(at=None).pk}/", house.bob, answer="approve")


def test_without_the_tick_the_administrator_is_left_alone(
    house: Any, old_admin: Subscription, other_admin: str
) -> None:
    connect_as(house, other_admin)
    candidate = propose(house, old_admin)
    assert candidate
    approve(house, reclaim(house, candidate), house.bob)
    move_on(house, candidate)
    house.go_on()
    assert house.state(candidate)[0] == State.CLOSED_SKIPPED and house.times_done() == {}


def test_the_last_administrator_is_a_persons_and_the_vendor_is_not_called(
    house: Any, old_admin: Subscription, other_admin: str
) -> None:
    connect_as(house, other_admin)
    candidate = propose(house, old_admin)
    assert candidate
    Subscription.objects.filter(external_id=other_admin).update(is_full_admin=False)
    approve(house, reclaim(house, candidate, admins="on"), house.bob)
    move_on(house, candidate)
    house.go_on()
    assert house.state(candidate)[0] == State.ATTENTION_REQUIRED and house.calls("team/members/remove") == 0


def test_the_vendors_own_refusal_of_the_last_administrator_is_a_persons(
    house: Any, old_admin: Subscription, other_admin: str
) -> None:
    """Listed as another administrator, and none at the vendor any more."""
    connect_as(house, other_admin)
    candidate = propose(house, old_admin)
    assert candidate
    approve(house, reclaim(house, candidate, admins="on"), house.bob)
    move_on(house, candidate)
    for member in house.team.admins()[1:]:
        member["roles"].remove(TEAM_ROLE)
    house.go_on()
    assert house.state(candidate)[0] == State.ATTENTION_REQUIRED and house.times_done() == {}


def test_files_that_wait_for_the_old_administrator_go_to_the_new_one(
    house: Any, old_admin: Subscription, other_admin: str
) -> None:
    """Removed before the hand-over; their undo window ends after it. The old account is removed while they wait."""
    rule = house.rule()
    removed = house.candidates(rule, 2)
    house.reclaim(*removed)
    house.go_on()
    connect_as(house, other_admin)
    candidate = propose(house, old_admin)
    assert candidate
    approve(house, reclaim(house, candidate, admins="on"), house.bob)
    move_on(house, candidate)
    house.go_on()
    house.pass_days(8)
    house.go_on(5)
    assert {house.files_of(one.external_id) for one in (*removed, candidate)} == {other_admin}


def test_while_files_arrive_at_the_old_administrator_it_is_not_removed(
    house: Any, old_admin: Subscription, other_admin: str
) -> None:
    (removed,) = house.candidates(house.rule(), 1)
    house.reclaim(removed)
    house.go_on()
    house.post(f"/removals/{house.attempt(removed).pk}/move/", house.ann)
    house.work()
    assert house.state(removed)[1] == Attempt.MOVING
    connect_as(house, other_admin)
    candidate = propose(house, old_admin)
    assert candidate
    approve(house, reclaim(house, candidate, admins="on"), house.bob)
    move_on(house, candidate)
    house.work()
    assert house.files_of(removed.external_id) == old_admin.external_id
    if house.state(removed)[1] == Attempt.MOVING:
        assert not house.is_removed(old_admin.external_id)
    house.go_on(6, minutes=31)
    assert house.is_removed(old_admin.external_id)

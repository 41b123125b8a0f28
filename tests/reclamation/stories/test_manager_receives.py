"""Files go to the manager of whoever had the account: to an account that can take them, or a person decides."""

from __future__ import annotations

from typing import Any

import pytest

from profiles.connectors.dropbox.sandbox.team import status_of
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.states import State
from subscriptions.models import Person, Subscription
from tests import factories

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State
RECEIVES = "team/members/move_former_member_files"


@pytest.fixture
def rule(house: Any) -> Any:
    return house.rule(destination="manager")


def somebody(house: Any, status: str = "active", *, besides: tuple[str, ...] = ()) -> Any:
    """A member of the team without a role, with this status."""
    return next(
        one
        for one in reversed(house.team.members)
        if status_of(one) == status and not one["roles"] and one["profile"]["team_member_id"] not in besides
    )


def manager(house: Any, rule: Any, member: Any, *, key: str = "BOSS") -> Subscription:
    """The manager has this account. There is one person of this key."""
    profile = member["profile"]
    seat = factories.subscription(
        profile=house.profile,
        identifier=rule.software_model.identifiers.get(),
        external_id=profile["team_member_id"],
        account_id=profile.get("account_id", ""),
        email=profile["email"],
        status=status_of(member),
    )
    person = Person.objects.filter(key=key).first() or factories.person(key=key, name=f"Manager {key}")
    factories.match(seat, person)
    return seat


def remove(house: Any, rule: Any, *managers: str) -> list[RemovalCandidate]:
    """One removed account for each of these managers; the undo window is over."""
    candidates = house.candidates(rule, len(managers))
    for candidate, key in zip(candidates, managers, strict=True):
        factories.match(candidate.subscription, factories.person(manager=key))
    house.reclaim(*candidates)
    house.work()
    assert {house.state(one)[1] for one in candidates} == {Attempt.REMOVED}
    house.pass_days(7)
    return list(candidates)


def test_the_files_go_to_the_managers_account(house: Any, rule: Any) -> None:
    seat = manager(house, rule, somebody(house))
    (candidate,) = remove(house, rule, "BOSS")
    house.go_on()
    assert house.state(candidate) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
    assert house.files_of(candidate.external_id) == seat.external_id != house.admin_id


@pytest.mark.parametrize(
    ("status", "why"), [("invited", "not an active member"), ("suspended", "not an active member"), ("", "Nobody is")]
)
def test_a_manager_who_cannot_take_them_is_a_persons_who_may_choose_the_administrator(
    house: Any, rule: Any, status: str, why: str
) -> None:
    if status:
        manager(house, rule, somebody(house, status))
    (candidate,) = remove(house, rule, "BOSS")
    house.go_on(1)
    assert house.state(candidate) == (State.ATTENTION_REQUIRED, Attempt.NEEDS_HUMAN)
    assert why in house.attempt(candidate).error_message and house.calls(RECEIVES) == 0
    address = f"/removals/{house.attempt(candidate).pk}"
    house.post(f"{address}/look/", house.bob)
    house.work()
    client = house.client(house.bob)
    assert house.admin_id in client.get(f"{address}/decide/").content.decode(), "offered in the field"
    house.post(f"{address}/decide/", house.bob, choice="move", external_id=house.admin_id)
    house.go_on()
    assert house.state(candidate) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
    assert house.files_of(candidate.external_id) == house.admin_id


def test_a_manager_who_is_about_to_be_removed_gets_no_files(house: Any, rule: Any) -> None:
    boss = house.candidates(rule, 1)[0]
    factories.match(boss.subscription, factories.person(key="BOSS"))
    (candidate,) = remove(house, rule, "BOSS")
    house.go_on(1)
    assert house.state(candidate)[1] == Attempt.NEEDS_HUMAN
    assert "removal candidate itself" in house.attempt(candidate).error_message
    assert house.calls(RECEIVES) == 0


def test_a_manager_is_not_removed_while_the_files_of_others_arrive(house: Any, rule: Any) -> None:
    boss = house.candidates(rule, 1)[0]
    factories.match(boss.subscription, factories.person(key="BOSS"))
    RemovalCandidate.objects.filter(pk=boss.pk).delete()
    (candidate,) = remove(house, rule, "BOSS")
    house.work()
    assert house.state(candidate)[1] == Attempt.MOVING
    again = factories.candidate(boss.subscription, rule=rule, reason="idle", status_at_opening="active")
    house.reclaim(again)
    house.work()
    assert house.state(again)[0] == State.AWAITING_REVOCATION and again.hold == "receiving"
    assert not house.is_removed(again.external_id)


def test_of_several_accounts_of_a_manager_an_active_one_receives(house: Any, rule: Any) -> None:
    manager(house, rule, somebody(house, "suspended"))
    manager(house, rule, somebody(house, "invited"))
    active = manager(house, rule, somebody(house))
    (candidate,) = remove(house, rule, "BOSS")
    house.go_on()
    assert house.files_of(candidate.external_id) == active.external_id


def test_managers_receive_side_by_side_and_each_of_them_one_at_a_time(house: Any, rule: Any) -> None:
    """Dropbox refuses a second transfer to an account that receives; nothing is refused here."""
    first = manager(house, rule, somebody(house))
    second = manager(house, rule, somebody(house, besides=(first.external_id,)), key="CHIEF")
    candidates = remove(house, rule, "BOSS", "BOSS", "CHIEF")
    house.work()
    assert sorted(house.state(one)[1] for one in candidates) == [Attempt.MOVING, Attempt.MOVING, Attempt.REMOVED]
    assert "wait for their move" in house.page("/removals/")
    house.go_on(4)
    receivers = [house.files_of(one.external_id) for one in candidates]
    assert receivers == [first.external_id, first.external_id, second.external_id]
    assert {house.state(one)[1] for one in candidates} == {Attempt.CLOSED} and house.calls(RECEIVES) == 3

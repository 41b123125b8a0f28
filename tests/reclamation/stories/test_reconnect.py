"""The vendor takes the token back in the middle of something, and somebody connects again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reclamation.models import RemovalAttempt
from reclamation.states import State

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State
REMOVE = "team/members/remove"
LOOK = "team/members/get_info_v2"
MOVE = "team/members/move_former_member_files"
CHECK = "team/members/move_former_member_files/job_status/check"


@pytest.fixture
def revoke_at(house: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have an administrator take every grant back right after, or right before, the n-th call of a route."""
    real = house.sandbox.handle
    armed: dict[str, Any] = {}

    def handle(request: Any) -> Any:
        route = request.path.removeprefix("/2/").strip("/")
        hits = armed.get("route") == route
        armed["left"] = armed.get("left", 0) - hits
        now = hits and armed["left"] == 0
        if now and armed["before"]:
            revoke()
        answer = real(request)
        if now and not armed["before"]:
            revoke()
        return answer

    def revoke() -> None:
        for grant in list(house.sandbox.store.grants):
            house.sandbox.store.revoke(grant)
        house.sandbox.store.tokens.clear()

    monkeypatch.setattr(house.sandbox, "handle", handle)

    def arm(route: str, *, call: int = 1, before: bool = False) -> None:
        armed.update(route=route, left=call, before=before)

    return arm


def connect_again(house: Any) -> None:
    house.connect(house.profile, house.account("ida", "sam_integrator"), admin=house.admin_id)


@pytest.mark.parametrize(
    ("route", "before", "done"),
    [(REMOVE, False, 1), (REMOVE, True, 0), (LOOK, False, 0), (LOOK, True, 0)],
    ids=["after a removal", "a removal refused", "after a look", "a look refused"],
)
def test_in_the_middle_of_a_batch(
    house: Any, revoke_at: Callable[..., None], route: str, before: bool, done: int
) -> None:
    candidates = house.candidates(house.rule(), 4)
    revoke_at(route, call=1 if route == REMOVE else 2, before=before)
    house.reclaim(*candidates)
    house.work()
    assert sum(house.times_done().values()) == done
    house.go_on(2, minutes=16)
    assert sum(house.times_done().values()) == done
    calls = house.calls(REMOVE)
    waiting = [one for one in candidates if house.state(one) == (State.AWAITING_REVOCATION, Attempt.GATED)]
    assert len(waiting) == 4 - done, [(house.state(one), house.attempt(one).error_message) for one in candidates]
    assert all("not connected" in one.hold_text for one in waiting), [one.hold_text for one in waiting]
    said = house.page(house.profile.get_absolute_url())
    assert "Get OAuth Token" in said
    connect_again(house)
    house.go_on(5, minutes=16)
    assert house.calls(REMOVE) == calls + 4 - done
    assert house.times_done() == {("remove", one.external_id): 1 for one in candidates}
    assert {house.state(one)[1] for one in candidates} == {Attempt.REMOVED}
    assert {(one.refresh_from_db(), one.hold_text)[1] for one in candidates} == {""}


def removed(house: Any) -> Any:
    (candidate,) = house.candidates(house.rule(), 1)
    house.reclaim(candidate)
    house.work()
    assert house.state(candidate)[1] == Attempt.REMOVED
    return candidate


@pytest.mark.parametrize(
    ("route", "before", "moves"),
    [(LOOK, True, 0), (LOOK, False, 0), (MOVE, True, 0), (MOVE, False, 1), (CHECK, True, 1), (CHECK, False, 1)],
    ids=["look refused", "after the look", "move refused", "after the move", "poll refused", "after the poll"],
)
def test_in_the_middle_of_a_move(
    house: Any, revoke_at: Callable[..., None], route: str, before: bool, moves: int
) -> None:
    candidate = removed(house)
    house.pass_days(7)
    revoke_at(route, before=before)
    house.go_on(3, minutes=1)
    assert house.times_done()["transfer", candidate.external_id] == moves
    assert house.state(candidate)[0] == State.AWAITING_REVOCATION
    assert house.state(candidate)[1] in (Attempt.REMOVED, Attempt.MOVING)
    connect_again(house)
    house.go_on(3, minutes=16)
    assert house.state(candidate) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
    assert house.times_done()["transfer", candidate.external_id] == 1
    assert house.files_of(candidate.external_id) == house.admin_id


def test_while_nothing_is_connected_the_undo_window_runs_and_restoring_waits(house: Any, revoke_at: Any) -> None:
    candidate = removed(house)
    revoke_at("team/members/recover", before=True)
    house.post(f"/removals/{house.attempt(candidate).pk}/restore/", house.ann)
    house.go_on(2)
    assert house.times_done()["recover", candidate.external_id] == 0
    connect_again(house)
    if house.state(candidate)[1] == Attempt.REMOVED:
        house.post(f"/removals/{house.attempt(candidate).pk}/restore/", house.ann)
    house.go_on(3, minutes=16)
    assert house.state(candidate) == (State.CLOSED_SKIPPED, Attempt.RESTORED)
    assert house.times_done()["recover", candidate.external_id] == 1

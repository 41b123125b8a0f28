"""Which state of a removal candidate leads to which, as the original documents it."""

from __future__ import annotations

import pytest

from reclamation.states import CLOSED, MOVES, OPEN, State


def reachable(start: State) -> set[State]:
    seen, waiting = set(), [start]
    while waiting:
        state = waiting.pop()
        if state not in seen:
            seen.add(state)
            waiting += MOVES[state]
    return seen


def test_every_state_can_be_reached_from_ready() -> None:
    assert reachable(State.READY) == set(State)


@pytest.mark.parametrize("state", CLOSED)
def test_what_is_closed_stays_closed(state: State) -> None:
    assert MOVES[state] == set()


@pytest.mark.parametrize("state", OPEN)
def test_a_person_may_skip_and_activity_may_cancel_in_every_open_state(state: State) -> None:
    assert {State.CLOSED_SKIPPED, State.CLOSED_CANCELED} <= MOVES[state]


def test_only_a_pending_removal_completes() -> None:
    assert [state for state in State if State.CLOSED_COMPLETE in MOVES[state]] == [State.AWAITING_REVOCATION]

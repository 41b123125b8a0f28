"""Removals under random faults in the gate: a chunk of stories, and mutants of the product that stories catch.

`python -m tests.proofs.removals --from 0 --to 2500` plays more of them. The seeds of the mutants are those at which a
longer search caught them first; a change of the stories needs new ones (`tests.proofs.removals.search`).
"""

from __future__ import annotations

import pytest

from tests.proofs.removals import many
from tests.proofs.removals.mutants import MUTANTS
from tests.proofs.removals.seeds import CAUGHT_AT

STORIES = 20


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(STORIES))
def test_whatever_fails_every_removal_ends_well(seed: int) -> None:
    _, counters, broken = many.play_one(seed)
    assert not broken, broken
    assert counters


@pytest.mark.django_db
@pytest.mark.parametrize("name", MUTANTS)
def test_without_this_guard_a_story_goes_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = CAUGHT_AT[name]
    MUTANTS[name](monkeypatch)
    _, _, broken = many.play_one(seed)
    assert broken, f"Story {seed} no longer catches it. Look for another one: python -m tests.proofs.removals.search"


def test_there_is_a_mutant_for_every_seed_and_enough_of_them() -> None:
    assert set(CAUGHT_AT) == set(MUTANTS) and len(MUTANTS) >= 16

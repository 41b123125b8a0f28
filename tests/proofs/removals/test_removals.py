"""Removals under random faults in the gate: a chunk of stories, and some of the mutants that stories catch.

`make prove` plays thousands of stories and looks for one that catches each mutant. The seeds of those in the gate are
the ones at which that search caught them first; a change of the stories may need new ones.
"""

from __future__ import annotations

import pytest

from tests.proofs.removals import many
from tests.proofs.removals.mutants import MUTANTS
from tests.proofs.removals.seeds import CAUGHT_AT

STORIES = 8


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(STORIES))
def test_whatever_fails_every_removal_ends_well(seed: int) -> None:
    _, counters, broken = many.play_one(seed)
    assert not broken, broken
    assert counters


@pytest.mark.django_db
@pytest.mark.parametrize("name", CAUGHT_AT)
def test_without_this_guard_a_story_goes_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = CAUGHT_AT[name]
    MUTANTS[name](monkeypatch)
    _, _, broken = many.play_one(seed)
    assert broken, f"Story {seed} no longer catches it. Look for another one: python -m tests.proofs.removals.search"

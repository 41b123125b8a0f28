"""Removals under random faults in the gate: a chunk of stories, and some of the mutants that stories catch.

`python -m tests.proofs.removals --from 0 --to 2500` plays more of them. The seeds of the mutants are those at which a
longer search caught them first; a change of the stories needs new ones (`tests.proofs.removals.search`). All mutants
are caught by tests with a name as well: `make prove` tries each.
"""

from __future__ import annotations

import pytest

from tests import compose
from tests.proofs.removals import many
from tests.proofs.removals.mutants import MUTANTS
from tests.proofs.removals.named_tests import CAUGHT_BY
from tests.proofs.removals.seeds import CAUGHT_AT

STORIES = 5


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


def test_every_mutant_is_caught_by_a_story_or_by_a_test_with_a_name_and_told_in_the_documents() -> None:
    assert set(CAUGHT_AT) | set(CAUGHT_BY) == set(MUTANTS) and len(MUTANTS) >= 16
    told = (compose.ROOT / "docs" / "proofs.md").read_text()
    assert [name for name in MUTANTS if f"`{name}`" not in told] == []

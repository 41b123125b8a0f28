"""Removals under random faults, through the real code. `python -m tests.proofs.removals` plays any story again.

FROM and TO choose the seeds, so that a long proof can be played in chunks; FILE adds the chunks up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.removals.__main__ import add_chunk, play
from tests.proofs.removals.watch import CLAIMS

pytestmark = pytest.mark.proof
FIRST, UNTIL = int(os.environ.get("FROM", "0")), int(os.environ.get("TO", "2500"))


def test_whatever_fails_nobody_is_removed_who_must_not_be(measured: Any) -> None:
    """F56 to F63 stand here for faults of every kind, at every step, in any order."""
    played = play(FIRST, UNTIL, os.cpu_count() or 1)
    sys.stderr.write(played.as_table())
    if path := os.environ.get("FILE"):
        add_chunk(Path(path), played, FIRST, UNTIL)
    injected = f"{played.stories:,} stories: crashes, lost answers, late effects, frozen workers, people"
    for claim in CLAIMS:
        measured("F56", injected, claim, played.broken[claim])
    measured("F56", injected, "removals called", played.counters["removals called"], must=f"≥ {played.stories // 2}")

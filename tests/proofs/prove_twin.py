"""The twin of the activity connector on five hundred worlds. `python -m tests.proofs.twin` plays any of them again."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from tests.proofs.twin import many
from tests.proofs.twin.findings import Findings

pytestmark = pytest.mark.proof
WORLDS = 500


def test_in_five_hundred_worlds_nothing_that_is_shown_is_wrong(measured: Any) -> None:
    """F43 to F47 stand here for faults of every kind on every route, in any order."""
    total, failed = Findings(), 0
    for found in many.play(range(WORLDS), os.cpu_count() or 1):
        total.add(found)
        failed += bool(found.failed)
        sys.stderr.write(found.failed)
    sys.stderr.write(total.as_table(failed, 0))
    injected = f"{sum(total.met.values()):,} faults in {total.worlds:,} worlds"
    measured("F43", injected, "worlds that went wrong", failed)
    measured("F43", injected, "seats shown covered without a use that was in the log", len(total.wrong))
    measured("F43", injected, "seats compared", total.seats, must="≥ 50000")
    measured("F43", injected, "kinds of faults met", len({kind for kind, _ in total.met}), must="≥ 29")

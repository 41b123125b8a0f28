"""F30 for removals: kill -9 of real workers right before and right behind every write and call of a removal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.killed.points import POINTS
from tests.faults.test_killed_workers import kill_workers, note

pytestmark = [pytest.mark.proof, pytest.mark.redis, pytest.mark.own_database]


def test_a_worker_killed_at_every_transition_removes_nobody_twice_and_forgets_nobody(measured: Any) -> None:
    note(kill_workers("all", 16, 1200), POINTS, measured)

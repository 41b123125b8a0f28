"""A batch of a thousand removals against the sandbox: how fresh the last look is, and how many calls each takes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests import compose

pytestmark = [pytest.mark.proof, pytest.mark.own_database]
REMOVALS = 1000


def test_a_thousand_removals_are_called_within_two_seconds_of_their_last_look(measured: Any) -> None:
    """With one look and one question to the log for each, beside those for the whole batch at its first gate."""
    command = [sys.executable, "benchmarks/removals.py", "--removals", str(REMOVALS), "--json"]
    done = subprocess.run(command, cwd=compose.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    injected = f"{REMOVALS:,} removals in one batch"
    measured("F58", injected, "last look to call, 99 %", found["gap"]["p99"], must="≤ 2000 ms")
    measured("F58", injected, "last look to call, at most", found["gap"]["most"], must="≤ 5000 ms")
    measured("F58", injected, "removed", found["removed"], must=f"= {REMOVALS}")
    calls = found["calls"]
    measured("F58", injected, "calls to remove", calls["team/members/remove"], must=f"= {REMOVALS}")
    looks = calls["team/members/get_info_v2"]
    measured("F58", injected, "looks", looks, must=f"≤ {REMOVALS + REMOVALS // 10}")
    questions = calls["team_log/get_events"]
    measured("F58", injected, "questions to the log", questions, must=f"≤ {REMOVALS + REMOVALS // 10}")

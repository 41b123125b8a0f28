"""Removals under random faults, through the real code: 7,500 stories on SQLite, and 2,500 on PostgreSQL.

FROM and TO choose the seeds, so that so long a proof can be played in chunks. FILE adds the chunks up; without it they
are added up in `tests/proofs/removals/played.jsonl`. `python -m tests.proofs.removals` plays any story again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import compose
from tests.proofs.removals import tally
from tests.proofs.removals.tally import SHARES
from tests.proofs.removals.watch import CLAIMS

pytestmark = pytest.mark.proof
FIRST, UNTIL = int(os.environ.get("FROM", "0")), int(os.environ.get("TO", "10000"))
FILE = Path(os.environ.get("FILE", tally.PLAYED))


@pytest.mark.parametrize("database", SHARES)
def test_whatever_fails_nobody_is_removed_who_must_not_be(measured: Any, database: str) -> None:
    """F56 to F63 stand here for faults of every kind, at every step, in any order."""
    share = SHARES[database]
    first, until = max(FIRST, share.start), min(UNTIL, share.stop)
    if first >= until:
        pytest.skip(f"None of these seeds is played on {database}.")
    environment = dict(os.environ)
    if database == "SQLite":
        environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "tests.proofs.removals", "--from", str(first), "--to", str(until)]
    subprocess.run([*command, "--file", str(FILE)], cwd=compose.ROOT, env=environment, check=False, stdout=sys.stderr)
    about = {"database": database, "first": first, "until": until}
    played = next(found for known, found in tally.read(FILE) if known == about)
    injected = f"{played.stories:,} stories on {database}: crashes, lost answers, late effects, frozen workers, people"
    for claim in CLAIMS:
        measured("F56", injected, claim, played.broken[claim])
    measured("F56", injected, "removals called", played.counters["removals called"], must=f"≥ {played.stories // 2}")

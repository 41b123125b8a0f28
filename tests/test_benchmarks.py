"""Every benchmark still runs: small, on SQLite. What it measures is read by people, never judged by a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import compose, migrated

PROGRAMS = {
    "activity": ["--sizes", "2000", "--members", "100"],
    "audit": ["--sizes", "1200"],
    "download": ["--sizes", "1000"],
    "home": ["--seats", "400", "--rounds", "1"],
    "lists": ["--seats", "400", "--rounds", "1"],
    "people": ["--sizes", "200"],
    "candidates": ["--seats", "2000", "--rounds", "1"],
    "reconcile": ["--seats", "400", "--models", "4", "--entitlements", "40", "--rounds", "1", "--page-rounds", "1"],
    "removals": ["--removals", "5"],
}


def test_every_benchmark_is_tried() -> None:
    folder = compose.ROOT / "benchmarks"
    programs = {path.stem for path in folder.glob("*.py") if 'if __name__ == "__main__"' in path.read_text()}
    assert programs - {"activity_log"} == set(PROGRAMS)


@pytest.mark.own_database
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_benchmark_prints_its_table(program: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/benchmark.sqlite3"
    migrated.put_sqlite(database)
    command = [sys.executable, f"benchmarks/{program}.py", *PROGRAMS[program], "--database", database]
    done = subprocess.run(command, cwd=compose.ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    least = 1 if program == "home" else 3  # the table of home has one page
    assert done.stdout.count("\n| ") > least

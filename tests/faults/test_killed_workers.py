"""F30 for removals: real workers are killed with kill -9 at every transition, with PostgreSQL and Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from tests import compose, servers
from tests.faults.killed.points import IN_THE_GATE

pytestmark = [pytest.mark.fault, pytest.mark.redis, pytest.mark.own_database]
CLAIMS = (
    "without an end",
    "removed twice",
    "false removed",
    "restored twice",
    "false restored",
    "files not moved once",
    "files of restored members moved",
    "seats wrong",
    "ledger wrong",
    "mails with two identities",
    "users not written to",
)


def kill_workers(points: str, accounts: int, seconds: float) -> dict[str, Any]:
    """Play the scenario in a process of its own, with a PostgreSQL and a Redis."""
    with servers.cluster() as cluster, servers.redis() as broker:
        with psycopg.connect(cluster.url, autocommit=True) as link:
            link.execute("create database killed")
        database = cluster.url.rpartition("/")[0] + "/killed"
        command = [sys.executable, "-m", "tests.faults.killed", "--points", points]
        where = ["--database", database, "--broker", broker]
        how = ["--accounts", str(accounts), "--seconds", str(seconds)]
        done = subprocess.run([*command, *where, *how], cwd=compose.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def note(found: dict[str, Any], points: Sequence[str], measured: Any) -> None:
    """Note what was found. Of files whose move was about to be called nobody knows, so a person decides."""
    injected = f"kill -9 of workers at {len(points)} places of a removal, restore, move of files, and mail"
    measured("F30", injected, "with a person", found["with a person"], must=f"≤ {points.count('before finish')}")
    assert not found["not reached"], found
    for claim in CLAIMS:
        measured("F30", injected, claim, found[claim])


def test_a_worker_killed_at_any_moment_removes_nobody_twice_and_forgets_nobody(measured: Any) -> None:
    note(kill_workers("gate", 8, 500), IN_THE_GATE, measured)

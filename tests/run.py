"""What `make test` runs: the whole suite on SQLite, and again on a real PostgreSQL, with one coverage floor.

Three runs go on beside one another, since much of their time is waiting; what two of them print is shown at the end.
The tests that failed are named once more in the last lines, which is all that some logs keep.
1. On SQLite, everything that asks the tests' database what may differ between kinds of database.
2. On PostgreSQL, the same.
3. Once, the tests that bring a database of their own (whole installations, the browser), know none (connectors), or ask
   for pages and words that are the same on every kind.

The coverage of the first and the third is added up and held against the floor below. To count the same lines again
would only slow the second down.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from tests import servers

SHARED, OWN = ("-m", "not own_database and not one_database"), ("-m", "own_database or one_database")
OWN_TITLE = "Those for which one run is enough"
SLIPCOVER = (sys.executable, "-u", "-m", "slipcover")
SLOWEST = "--durations=10"  # each run names its slowest tests, so that one that is slow for no reason is seen
NOTHING_SELECTED = 5
MOST_NAMED = 20
LEAST_COVERED = 94  # percent of lines and branches; this floor only rises


def pytest(*arguments: str, output: IO[str] | int, counted_in: str = "", **environment: str) -> subprocess.Popen[Any]:
    """Start a run; with `counted_in` its covered lines are counted in that file."""
    python = [*SLIPCOVER, "--json", "--out", counted_in] if counted_in else [sys.executable, "-u"]
    command = [*python, "-m", "pytest", SLOWEST, *arguments]
    both = {"stdout": output, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, env={**os.environ, **environment}, text=True, **both)


def show(title: str, lines: Iterable[str], failures: list[str]) -> None:
    """Print what a run prints, and remember the lines that name a test that failed."""
    for line in lines:
        sys.stdout.write(line)
        sys.stdout.flush()
        if line.startswith(("FAILED ", "ERROR ")):
            failures.append(f"{title}: {line.strip()}"[:300])


def beside_one_another(arguments: list[str], failures: list[str], counted: list[str]) -> int:
    """The exit code of the first run that failed, else 0."""
    with ExitStack() as stack:
        runs: dict[str, dict[str, str]] = {OWN_TITLE: {"counted_in": counted[0]}}
        try:
            runs["On PostgreSQL"] = {"DATABASE_URL": stack.enter_context(servers.postgres())}
            without = 0
        except servers.Missing as missing:
            sys.stdout.write(f"\n{missing} The run on PostgreSQL is left out.\n")
            without = int(servers.in_ci())
        started = []
        for title, options in runs.items():
            said = stack.enter_context(tempfile.TemporaryFile("w+"))
            run = pytest(*(SHARED if "DATABASE_URL" in options else OWN), *arguments, output=said, **options)
            stack.callback(run.kill)
            started.append((title, run, said))
        on_sqlite = pytest(*SHARED, *arguments, output=subprocess.PIPE, counted_in=counted[1])
        stack.callback(on_sqlite.kill)
        show("On SQLite", on_sqlite.stdout or (), failures)
        codes = [without, on_sqlite.wait()]
        for title, run, said in started:
            codes.append(run.wait())
            said.seek(0)
            show(title, [f"\n{title}:\n\n", *said], failures)
        failures.append(f"Exit codes of the runs: {codes}")
        return next((code for code in codes if code and not (arguments and code == NOTHING_SELECTED)), 0)


def main(arguments: list[str]) -> int:
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        counted = [str(Path(folder) / name) for name in ("own.json", "sqlite.json")]
        failed = beside_one_another(arguments, failures, counted)
        added = ["--merge", *counted, "--out", str(Path(folder) / "both.json"), "--fail-under", str(LEAST_COVERED)]
        covered = subprocess.run([*SLIPCOVER, *added], check=False).returncode
    for line in failures[:MOST_NAMED]:
        sys.stdout.write(f"{line}\n")
    return failed or (covered if not arguments else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

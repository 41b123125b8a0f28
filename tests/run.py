"""What `make test` runs: the whole suite on SQLite, and again on a real PostgreSQL, with one coverage floor.

Four runs go on beside one another, since much of their time is waiting; what three of them print is shown at the end.
The tests that failed are named once more in the last lines, which is all that some logs keep.
1. On SQLite, everything that asks the tests' database what may differ between kinds of database.
2. On PostgreSQL, the same, and the catalog of faults.
3. Once, whole installations: a browser, workers with Redis, outages. They mostly wait.
4. Once, the others that bring a database of their own, know none (connectors), or ask for pages and words that are the
   same on every kind.

The coverage of the first and the last is added up and held against the floor below. To count the same lines again would
only slow the others down, and whole installations run in processes where nobody counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests import servers

SHARED = "not own_database and not one_database"
ON_SQLITE = f"{SHARED} and not fault"
WHOLE = "(own_database or one_database) and (browser or redis)"
ONCE = "(own_database or one_database) and not (browser or redis)"
SLIPCOVER = (sys.executable, "-u", "-m", "slipcover")
SLOWEST = "--durations=10"  # each run names its slowest tests, so that one that is slow for no reason is seen
NOTHING_SELECTED = 5
MOST_NAMED = 20
LEAST_COVERED = 94  # percent of lines and branches; this floor only rises


def show(title: str, lines: Iterable[str], failures: list[str]) -> None:
    """Print what a run prints, and remember the lines that name a test that failed."""
    for line in lines:
        sys.stdout.write(line)
        sys.stdout.flush()
        if line.startswith(("FAILED ", "ERROR ")):
            failures.append(f"{title}: {line.strip()}"[:300])


@dataclass
class Run:
    """Some of the tests, the file their covered lines are counted in if they are, and their environment."""

    title: str
    chosen: str
    counted_in: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, arguments: list[str], output: IO[str] | int) -> subprocess.Popen[str]:
        count = [*SLIPCOVER, "--json", "--out", self.counted_in] if self.counted_in else [sys.executable, "-u"]
        command = [*count, "-m", "pytest", SLOWEST, "-m", self.chosen, *arguments]
        both = {"stdout": output, "stderr": subprocess.STDOUT}
        # Compiled modules are kept: the processes of the installations, and there are hundreds, start in half the time.
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.Popen(command, env={**inherited, **self.environment}, text=True, **both)


def beside_one_another(arguments: list[str], failures: list[str], counted: list[str]) -> int:
    """The exit code of the first run that failed, else 0."""
    with ExitStack() as stack:
        runs = [
            Run("Whole installations", WHOLE),
            Run("Those for which one run is enough", ONCE, counted[0]),
        ]
        try:
            url = stack.enter_context(servers.postgres())
            # One server for all of them, which migrates once; each makes databases of its own there.
            for run in runs:
                run.environment["DATABASE_URL_TEST"] = url
            runs.append(Run("On PostgreSQL", SHARED, environment={"DATABASE_URL": url}))
            without = 0
        except servers.Missing as missing:
            sys.stdout.write(f"\n{missing} The run on PostgreSQL is left out.\n")
            without = int(servers.in_ci())
        started = []
        for run in runs:
            said = stack.enter_context(tempfile.TemporaryFile("w+"))
            process = run.start(arguments, said)
            stack.callback(process.kill)
            started.append((run.title, process, said))
        on_sqlite = Run("On SQLite", ON_SQLITE, counted[1]).start(arguments, subprocess.PIPE)
        stack.callback(on_sqlite.kill)
        show("On SQLite", on_sqlite.stdout or (), failures)
        codes = [without, on_sqlite.wait()]
        for title, process, said in started:
            codes.append(process.wait())
            said.seek(0)
            show(title, [f"\n{title}:\n\n", *said], failures)
        failures.append(f"Exit codes of the runs: {codes}")
        return next((code for code in codes if code and not (arguments and code == NOTHING_SELECTED)), 0)


def main(arguments: list[str]) -> int:
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        *counted, added = (str(Path(folder) / name) for name in ("once", "sqlite", "added"))
        failed = beside_one_another(arguments, failures, counted)
        add = ["--merge", *counted, "--out", added, "--fail-under", str(LEAST_COVERED)]
        covered = subprocess.run([*SLIPCOVER, *add], check=False).returncode
    for line in failures[:MOST_NAMED]:
        sys.stdout.write(f"{line}\n")
    return failed or (covered if not arguments else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What `make test` runs: the whole suite on SQLite, and again on a real PostgreSQL, with one coverage floor.

Three runs go on beside one another, since much of their time is waiting; what two of them print is shown at the end.
1. On SQLite, everything that uses the tests' database.
2. On PostgreSQL, the same.
3. Once, the tests that bring a database of their own (whole installations, the browser) or know none (connectors).

The coverage of the first and the third is added up and held against the floor in pyproject.toml. To count the same
lines again would only slow the second down.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import IO, Any

from tests import servers

SHARED, OWN = ("-m", "not own_database"), ("-m", "own_database")
SLOWEST = "--durations=10"  # each run names its slowest tests, so that one that is slow for no reason is seen
NOTHING_SELECTED = 5


def pytest(*arguments: str, output: IO[str] | None = None, **environment: str) -> subprocess.Popen[Any]:
    counting = [] if environment else ["-m", "coverage", "run", "-p"]
    command = [sys.executable, *counting, "-m", "pytest", SLOWEST, *arguments]
    return subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)


def beside_one_another(arguments: list[str]) -> int:
    """The exit code of the first run that failed, else 0."""
    with ExitStack() as stack:
        runs = {"Those that bring their own database, or know none": {}}
        try:
            runs["On PostgreSQL"] = {"DATABASE_URL": stack.enter_context(servers.postgres())}
            without = 0
        except servers.Missing as missing:
            sys.stdout.write(f"\n{missing} The run on PostgreSQL is left out.\n")
            without = int(servers.in_ci())
        started = []
        for title, environment in runs.items():
            said = stack.enter_context(tempfile.TemporaryFile("w+"))
            run = pytest(*(SHARED if environment else OWN), *arguments, output=said, **environment)
            stack.callback(run.kill)
            started.append((title, run, said))
        codes = [without, pytest(*SHARED, *arguments).wait()]
        for title, run, said in started:
            codes.append(run.wait())
            said.seek(0)
            sys.stdout.write(f"\n{title}:\n\n{said.read()}")
            sys.stdout.flush()
        return next((code for code in codes if code and not (arguments and code == NOTHING_SELECTED)), 0)


def main(arguments: list[str]) -> int:
    subprocess.run([sys.executable, "-m", "coverage", "erase"], check=True)
    failed = beside_one_another(arguments)
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q"], check=True)
    report = [sys.executable, "-m", "coverage", "report", "--skip-covered", "--skip-empty"]
    covered = subprocess.run(report, check=False).returncode
    return failed or (covered if not arguments else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

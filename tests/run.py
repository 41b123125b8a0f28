"""What `make test` runs: the whole suite on SQLite, and again on a real PostgreSQL, with one coverage floor.

1. On PostgreSQL, beside the other run: everything but the tests that bring their own database, and those of plain
   Python that know none. What it prints is shown when the other run is over.
2. On SQLite everything, browser and Redis included.
3. The coverage of both is added up and held against the floor in pyproject.toml.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import IO, Any

from tests import servers

OTHER_DATABASE = ("-m", "not own_database", "--ignore=tests/connectors")


def pytest(*arguments: str, output: IO[str] | None = None, **environment: str) -> subprocess.Popen[Any]:
    command = [sys.executable, "-m", "coverage", "run", "-p", "-m", "pytest", *arguments]
    return subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)


def both(arguments: list[str]) -> int:
    """The exit codes of the two runs, the worse one."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(servers.postgres())
        except servers.Missing as missing:
            alone = pytest(*arguments).wait()
            sys.stdout.write(f"\n{missing} The second run, on PostgreSQL, was left out.\n")
            return alone or int(servers.in_ci())
        said = stack.enter_context(tempfile.TemporaryFile("w+"))
        beside = pytest(*OTHER_DATABASE, *arguments, output=said, DATABASE_URL=url)
        stack.callback(beside.kill)
        first = pytest(*arguments).wait()
        second = beside.wait()
        said.seek(0)
        sys.stdout.write(f"\nOn PostgreSQL:\n\n{said.read()}")
        sys.stdout.flush()
        return first or second


def main(arguments: list[str]) -> int:
    subprocess.run([sys.executable, "-m", "coverage", "erase"], check=True)
    failed = both(arguments)
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q"], check=True)
    report = [sys.executable, "-m", "coverage", "report", "--skip-covered", "--skip-empty"]
    covered = subprocess.run(report, check=False).returncode
    return failed or (covered if not arguments else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

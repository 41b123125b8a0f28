"""What `make test` runs: the whole suite on SQLite, then again on a real PostgreSQL, with one coverage floor.

1. On SQLite everything, browser and Redis included.
2. On PostgreSQL everything but the tests that bring their own database, and those of plain Python that know none.
3. The coverage of both is added up and held against the floor in pyproject.toml.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests import servers

OTHER_DATABASE = ("-m", "not own_database", "--ignore=tests/connectors")


def pytest(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", "coverage", "run", "-p", "-m", "pytest", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode  # noqa: S603


def main(arguments: list[str]) -> int:
    subprocess.run([sys.executable, "-m", "coverage", "erase"], check=True)  # noqa: S603
    failed = pytest(*arguments)
    try:
        with servers.postgres() as url:
            failed = pytest(*OTHER_DATABASE, *arguments, DATABASE_URL=url) or failed
    except servers.Missing as missing:
        sys.stdout.write(f"\n{missing} The second run, on PostgreSQL, was left out.\n")
        failed = failed or int(servers.in_ci())
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q"], check=True)  # noqa: S603
    report = [sys.executable, "-m", "coverage", "report", "--skip-covered", "--skip-empty"]
    covered = subprocess.run(report, check=False).returncode  # noqa: S603
    return failed or (covered if not arguments else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What `make faults` runs: every fault test on a real PostgreSQL and a real Redis, and one table of what was measured.

The table goes to standard output, the tests' own words to standard error. Fails when a test fails, a figure is out of
its bound, or a fault of the catalog has no row.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import servers
from tests.faults import figures


def measure(arguments: list[str], path: Path, *, marker: str = "fault") -> int:
    """Run the tests with this marker; their exit code."""
    with servers.postgres() as database, servers.redis() as broker:
        named = {"DATABASE_URL": database, "DATABASE_URL_TEST": database, "REDIS_URL": broker}
        command = [sys.executable, "-m", "pytest", "-m", marker, "-q", *arguments]
        environment = {**os.environ, **named, figures.FILE_VARIABLE: str(path)}
        return subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="samsaas-faults-") as folder:
        path = Path(folder) / "figures"
        path.touch()
        failed = measure(arguments, path)
        found = figures.read(path)
    left_out = figures.missing(found)
    sys.stdout.write(figures.table(found) + "\n")
    if left_out:
        sys.stdout.write(f"\nWithout a figure: {', '.join(left_out)}.\n")
    return int(bool(failed or left_out or not all(figure.holds for figure in found)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

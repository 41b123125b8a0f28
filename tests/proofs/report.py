"""What `make prove` runs: every proof on a real PostgreSQL and a real Redis, and one table of what was measured.

A new proof is a file `tests/proofs/prove_<what>.py` with pytest tests; each calls `measured(...)` for its rows, as the
fault tests do. `make prove ARGS="-k redis"` runs some of them. Fails when a test fails or a figure is out of its bound.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.faults import figures, report

ONLY_PROOFS = ["-o", "python_files=prove_*.py", str(Path(__file__).parent.relative_to(Path.cwd()))]


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="samsaas-proofs-") as folder:
        path = Path(folder) / "figures"
        path.touch()
        failed = report.measure([*ONLY_PROOFS, *arguments], path, marker="proof")
        found = figures.read(path)
    sys.stdout.write(figures.table(found) + "\n")
    return int(bool(failed or not found or not all(figure.holds for figure in found)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

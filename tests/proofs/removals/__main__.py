"""`python -m tests.proofs.removals --from 0 --to 200 [--jobs 2] [--file F]`: play stories and print what they came to.

With a file, chunks that were played before are added up, each by its database and its seeds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.proofs.removals import tally
from tests.proofs.removals.tally import Tally

MOST_STORIES = 5


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="until", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--file", type=Path, help="where chunks are added up")
    chosen = parser.parse_args(arguments)
    played = play(chosen.first, chosen.until, chosen.jobs)
    sys.stdout.write(played.as_table())
    if chosen.file:
        add_chunk(chosen.file, played, chosen.first, chosen.until)
        chunks = tally.read(chosen.file)
        for database in sorted({about["database"] for about, _ in chunks}):
            whole = tally.total(one for about, one in chunks if about["database"] == database)
            sys.stdout.write(f"\nAll chunks on {database}:\n\n{whole.as_table()}")
    return int(bool(played.seeds))


def play(first: int, until: int, jobs: int) -> Tally:
    """Play the stories of these seeds; the first that go wrong are told on the error output."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django  # noqa: PLC0415 - it needs the settings

    django.setup()
    from tests.proofs.removals import many  # noqa: PLC0415

    began, played = time.monotonic(), Tally()
    for result in many.play(range(first, until), jobs):
        played.add_result(result)
        if result[2] and len(played.seeds) <= MOST_STORIES:
            sys.stderr.write(f"\nseed {result[0]}: {result[2]}\n")
            sys.stderr.flush()
    played.seconds = time.monotonic() - began
    return played


def add_chunk(path: Path, played: Tally, first: int, until: int) -> None:
    """Write what a chunk came to into the file."""
    database = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    with path.open("a") as file:
        file.write(played.as_json(database=database, first=first, until=until) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

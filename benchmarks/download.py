"""How fast a download is against its floor, and against the usual way of writing it. Prints Markdown.

    python benchmarks/download.py --sizes 1000,100000,1000000 --database postgresql://user@host/benchmark_download
    python benchmarks/download.py --sizes 1000,100000 --database sqlite

All sides run in turn within one call, each measurement in a process of its own. The database is emptied: its name
must begin with "benchmark". Read the ratios; seconds belong to the machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

SIDES = ("source", "floor", "first", "again", "day2", "sdk")
LABELS = {
    "source": "row source alone (read, decode, tuples)",
    "floor": "floor: plain bulk load into the indexed table",
    "first": "first download",
    "again": "unchanged refresh",
    "day2": "day 2 (0.5 % changed, 0.1 % new, 0.1 % gone)",
    "sdk": "official SDK + `update_or_create`, known rows",
}


def main() -> None:
    options = _options()
    if options.side:
        from benchmarks import download_sides  # noqa: PLC0415 - only the measuring process sets Django up

        return download_sides.main(options.side, Path(options.pages))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        url = database(options.database, Path(scratch))
        for size in map(int, options.sizes.split(",")):
            folder = Path(options.pages or scratch) / str(size)
            from benchmarks import tenant  # noqa: PLC0415

            tenant.write_pages(folder, size)
            rounds = [{side: _measure(side, folder, url) for side in SIDES} for _ in range(options.rounds)]
            measured = {side: min((one[side] for one in rounds), key=lambda one: one["seconds"]) for side in SIDES}
            _print_table(urlsplit(url).scheme, size, measured)
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,100000", help="members, separated by commas")
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    parser.add_argument("--pages", default="", help="keep the generated answers in this folder for the next call")
    parser.add_argument("--rounds", type=int, default=1, help="measure so often and keep each side's quickest")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(side: str, folder: Path, url: str) -> dict:
    command = [sys.executable, __file__, "--side", side, "--pages", str(folder)]
    done = subprocess.run(command, env=environment(url), stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _print_table(database: str, size: int, measured: dict[str, dict]) -> None:
    """Ratio to the floor, whole and without the row source, which both sides share."""
    floor, source = measured["floor"], measured["source"]["seconds"]
    print(f"\n{database}, {size:,} members\n")
    print("| | seconds | members a second | time / floor | writing only: time / floor | WAL | peak memory |")
    print("|---|---|---|---|---|---|---|")
    for side, one in measured.items():
        per_row = one["seconds"] / one["rows"]
        whole = per_row / (floor["seconds"] / floor["rows"])
        writing = (one["seconds"] - source) / (floor["seconds"] - source) if side not in ("source", "sdk") else None
        note = f", sample of {one['rows']:,}" if side == "sdk" else ""
        print(
            f"| {LABELS[side]}{note} | {one['seconds']:.2f} | {1 / per_row:,.0f} | {whole:.2f} | "
            f"{'' if writing is None else f'{writing:.2f}'} | {one['written'] / 1e6:,.1f} MB | "
            f"{one['peak_mb']:.0f} MB |"
        )
    print(f"\nDay 2 counters: {measured['day2']['counters']}", flush=True)


if __name__ == "__main__":
    main()

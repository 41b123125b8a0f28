"""How fast a download is against its floor, and against the usual way of writing it. Prints Markdown.

    python benchmarks/download.py --sizes 1000,100000,1000000 --database postgresql://user@host/benchmark_download
    python benchmarks/download.py --sizes 1000,100000 --database sqlite

All sides run in turn within one call, each measurement in a process of its own. The database is emptied: its name
must begin with "benchmark". Read the ratios; seconds belong to the machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import contenders, tenant  # noqa: E402
from benchmarks.settings import database  # noqa: E402

LABELS = {
    "source": "row source alone (read, decode, tuples)",
    "floor": "floor: plain bulk load into the indexed table",
    "first": "first download",
    "again": "unchanged refresh",
    "day2": "day 2 (0.5 % changed, 0.1 % new, 0.1 % gone)",
    "sdk": "official SDK + `update_or_create`, known rows",
}


def main() -> None:
    options = contenders.options(__doc__, LABELS, sizes="1000,100000", counted="members").parse_args()
    if options.side:
        from benchmarks import download_contenders  # noqa: PLC0415 - only the measuring process sets Django up

        return download_contenders.main(options.side, Path(options.pages))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        url = database(options.database, Path(scratch))
        for size in contenders.numbers(options.sizes):
            folder = Path(options.pages or scratch) / str(size)
            tenant.write_pages(folder, size)
            measured = contenders.quickest(__file__, LABELS, options.rounds, url, "--pages", str(folder))
            _print_table(urlsplit(url).scheme, size, measured)
    return None


def _print_table(database: str, size: int, measured: dict[str, contenders.Measured]) -> None:
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

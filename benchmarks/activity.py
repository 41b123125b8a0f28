"""How fast activity is pulled, against a bare loop that only fetches and decodes the same pages. Prints Markdown.

    python benchmarks/activity.py --sizes 1000000,10000000 --database postgresql://user@host/benchmark_activity
    python benchmarks/activity.py --sizes 1000000 --members 1000 --database sqlite

All sides run in turn within one call, each in a process of its own, against a server in another one. The log covers 30
days; how many seats it is about decides how often each is seen a day. The database is emptied: its name must begin with
"benchmark". Read the ratios; seconds belong to the machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import activity_log, contenders  # noqa: E402
from benchmarks.settings import database  # noqa: E402

LABELS = {
    "bare": "bare loop: fetch and decode only",
    "pull": "first pull",
    "again": "the same log again, everything known",
}


def main() -> None:
    options = _options()
    if options.side:
        from benchmarks import activity_contenders  # noqa: PLC0415 - only the measuring process sets Django up

        return activity_contenders.main(options.side, options.port, int(options.members))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        url = database(options.database, Path(scratch))
        for size in contenders.numbers(options.sizes):
            for members in contenders.numbers(options.members):
                folder = Path(options.pages or scratch) / f"log-{size}-{members}"
                activity_log.write(folder, size, members)
                measured = _against_a_server(folder, members, url, options.rounds)
                _print_table(urlsplit(url).scheme, members, measured)
    return None


def _options() -> argparse.Namespace:
    parser = contenders.options(__doc__, LABELS, sizes="1000000", counted="events")
    parser.add_argument("--members", default="10000", help="seats of the team, separated by commas")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _against_a_server(folder: Path, members: int, url: str, rounds: int) -> dict[str, contenders.Measured]:
    command = [sys.executable, activity_log.__file__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip()  # type: ignore[union-attr]
            arguments = ("--port", port, "--members", str(members))
            return contenders.quickest(__file__, LABELS, rounds, url, *arguments)
        finally:
            server.terminate()


def _print_table(scheme: str, members: int, measured: dict[str, contenders.Measured]) -> None:
    bare = measured["bare"]
    print(f"\n{scheme}, {bare['events']:,} events of {members:,} members\n")
    print("| | seconds | events a second | speed / bare loop | peak memory | seats, days stored |")
    print("|---|---|---|---|---|---|")
    for side, one in measured.items():
        speed = one["events"] / one["seconds"]
        ratio = speed / (bare["events"] / bare["seconds"])
        stored = "" if side == "bare" else f"{one['stored'][0]:,}, {one['stored'][1]:,}"
        figures = f"{one['seconds']:.1f} | {speed:,.0f} | {ratio:.2f} | {one['peak_mb']:.0f} MB"
        print(f"| {LABELS[side]} | {figures} | {stored} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""How fast activity is pulled, against a bare loop that only fetches and decodes the same pages. Prints Markdown.

    python benchmarks/activity.py --sizes 1000000,10000000 --database postgresql://user@host/benchmark_activity
    python benchmarks/activity.py --sizes 1000000 --database sqlite

All sides run in turn within one call, each in a process of its own, against a server in another one. The database is
emptied: its name must begin with "benchmark". Read the ratios; seconds belong to the machine.
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

from benchmarks import activity_log  # noqa: E402
from benchmarks.settings import database, environment  # noqa: E402

LABELS = {
    "bare": "bare loop: fetch and decode only",
    "pull": "first pull",
    "again": "the same log again, everything known",
}


def main() -> None:
    options = _options()
    if options.side:
        from benchmarks import activity_sides  # noqa: PLC0415 - only the measuring process sets Django up

        return activity_sides.main(options.side, options.port, options.members)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        url = database(options.database, Path(scratch))
        for size in map(int, options.sizes.split(",")):
            folder = Path(options.pages or scratch) / f"log-{size}-{options.members}"
            activity_log.write(folder, size, options.members)
            with subprocess.Popen(
                [sys.executable, activity_log.__file__, str(folder)], stdout=subprocess.PIPE, text=True
            ) as server:
                try:
                    port = int(server.stdout.readline())  # type: ignore[union-attr]
                    rounds = [
                        {side: _measure(side, port, url, options.members) for side in LABELS}
                        for _ in range(options.rounds)
                    ]
                finally:
                    server.terminate()
            measured = {side: min((one[side] for one in rounds), key=lambda one: one["seconds"]) for side in LABELS}
            _print_table(urlsplit(url).scheme, options.members, measured)
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000000", help="events, separated by commas")
    parser.add_argument("--members", type=int, default=100_000, help="seats of the team")
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    parser.add_argument("--pages", default="", help="keep the generated answers in this folder for the next call")
    parser.add_argument("--rounds", type=int, default=1, help="measure so often and keep each side's quickest")
    parser.add_argument("--side", choices=LABELS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(side: str, port: int, url: str, members: int) -> dict:
    command = [sys.executable, __file__, "--side", side, "--port", str(port), "--members", str(members)]
    done = subprocess.run(command, env=environment(url), stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _print_table(scheme: str, members: int, measured: dict[str, dict]) -> None:
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

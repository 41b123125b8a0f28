"""How long the clicks of an import of people take, how long its jobs, and in how much memory. Prints Markdown.

    python benchmarks/people.py --sizes 50000,200000 --database postgresql://user@host/benchmark_people
    python benchmarks/people.py --sizes 50000 --database sqlite

Web and worker are processes of their own, so that the peak memory of each is its own. The database is emptied: its name
must begin with "benchmark".
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

# Side -> what it does; the jobs report their progress as they would to a page.
SIDES = {
    "upload": "click: upload the file",
    "read": "job: read it into a preview",
    "apply": "click: apply",
    "write": "job: apply it, everybody new",
}
HEADER = "employee number,name,e-mails,department,manager,cost center,country,left on\n"


def main() -> None:
    options = _options()
    if options.side:
        from benchmarks import people_contenders  # noqa: PLC0415 - only the measuring process sets Django up

        return people_contenders.main(options.side, Path(options.file))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        url = database(options.database, Path(scratch))
        for size in map(int, options.sizes.split(",")):
            file = Path(scratch) / f"{size}.csv"
            _write(file, size)
            _print_table(urlsplit(url).scheme, size, file, {side: _measure(side, file, url) for side in SIDES})
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="50000", help="lines, separated by commas, at most 200000")
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--file", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _write(file: Path, size: int) -> None:
    with file.open("w") as out:
        out.write(HEADER)
        for n in range(size):
            addresses = f"person.{n}@example.com; p{n}@example.org"
            out.write(f"P{n:06},Person Number {n},{addresses},Department {n % 40},P{n // 10:06},CC-{n % 90},DE,\n")


def _measure(side: str, file: Path, url: str) -> dict:
    command = [sys.executable, __file__, "--side", side, "--file", str(file)]
    done = subprocess.run(command, env=environment(url), stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _print_table(database: str, size: int, file: Path, measured: dict[str, dict]) -> None:
    print(f"\n{database}, {size:,} lines, {file.stat().st_size / 1e6:.0f} MB\n")
    print("| | seconds | peak memory | numbers shown meanwhile |")
    print("|---|---|---|---|")
    for side, one in measured.items():
        print(f"| {SIDES[side]} | {one['seconds']:.2f} | {one['peak_mb']:.0f} MB | {one['shown']} |", flush=True)


if __name__ == "__main__":
    main()

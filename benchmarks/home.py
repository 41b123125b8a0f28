"""How long home takes over a million subscriptions, and counting them when facts change. Prints Markdown.

    python benchmarks/home.py --seats 1000000 --database postgresql://user@host/benchmark_lists

The installation is that of benchmarks/lists.py, with fifty software models, 500 entitlements, a year of use by day,
and open candidates of rules. By hand means the SQL one would write oneself for the figures of the page, over the same
stored rows; `counting` is what the beat does after a refresh, for one of the four profiles.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seats", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        os.environ.update(environment(database(options.database, Path(scratch))), DEBUG="false")
        os.environ["ALLOWED_HOSTS"] = "testserver"
        os.environ["SERVE_UNCOLLECTED_STATIC"] = "true"
        import django  # noqa: PLC0415 - the environment comes first

        django.setup()
        from benchmarks import home_data, lists, lists_data  # noqa: PLC0415

        lists_data.prepare(options.seats)
        home_data.prepare()
        client, statements = lists_data.reader(), home_data.by_hand()
        print(f"\n{options.seats:,} subscriptions; milliseconds, of {options.rounds} rounds\n")
        print(lists.HEAD)
        lists.print_row("home", "/", statements, client, options.rounds)
        began = time.perf_counter()
        counted = home_data.count_one_profile()
        print(f"\ncounting {counted:,} subscriptions of a profile: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()

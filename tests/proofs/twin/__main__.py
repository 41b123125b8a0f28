"""`python -m tests.proofs.twin --worlds 500 [--seed 0] [--jobs 2]`: play worlds and print what they came to."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.proofs.twin import many
from tests.proofs.twin.findings import Findings

MOST_STORIES = 5


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    began, total, failed = time.monotonic(), Findings(), 0
    for found in many.play(range(chosen.seed, chosen.seed + chosen.worlds), chosen.jobs):
        total.add(found)
        failed += bool(found.failed)
        if found.failed and failed <= MOST_STORIES:
            sys.stderr.write(f"\n{found.failed}\n")
            sys.stderr.flush()
    sys.stdout.write(total.as_table(failed, time.monotonic() - began))
    return int(bool(failed) or not total.covered)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

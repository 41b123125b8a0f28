"""`python -m tests.proofs.removals.search [names …] [--to 500]`: at which seed a story first catches each mutant."""

from __future__ import annotations

import argparse
import sys
import time

import pytest

from tests.proofs.twin import many as databases


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--to", dest="until", type=int, default=500)
    chosen = parser.parse_args(arguments)
    databases._open_database()
    from tests.proofs.removals import many  # noqa: PLC0415 - Django is set up by now
    from tests.proofs.removals.mutants import MUTANTS  # noqa: PLC0415

    alive = 0
    for name in chosen.names or MUTANTS:
        began, found = time.monotonic(), None
        for seed in range(chosen.until):
            with pytest.MonkeyPatch.context() as patch:
                MUTANTS[name](patch)
                if many.play_one(seed)[2]:
                    found = seed
                    break
        alive += found is None
        sys.stdout.write(f'    "{name}": {found},  # {time.monotonic() - began:.0f} s\n')
        sys.stdout.flush()
    return alive


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

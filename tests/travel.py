"""What `make travel` runs: the fast suite on SQLite at every moment that trips tests up, and one table of them.

The table goes to standard output as the runs end, what a failed run said to standard error. Two runs go on beside one
another. Arguments go to pytest; `--moments 00:01` takes only the moments with that text in them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

MOMENTS = {
    "2027-06-16T00:01": "just after midnight",
    "2027-06-16T06:30": "before the first events of the day",
    "2027-06-16T12:00": "in the middle of the day's events",
    "2027-06-16T23:59": "just before midnight",
    "2026-12-31T23:59": "the last minute of a year",
    "2027-01-01T00:01": "the first minute of a year",
    "2027-02-28T12:00": "the last day of February",
    "2027-02-28T23:59": "the last minute of February",
    "2028-02-29T12:00": "a leap day",
    "2028-02-29T23:59": "the last minute of a leap day",
    "2027-03-14T07:30": "New York's clocks have just gone forward",
    "2027-11-07T05:30": "New York's first 01:30 of two",
    "2027-03-28T01:30": "Berlin's clocks have just gone forward",
    "2027-10-31T00:30": "Berlin's first 02:30 of two",
}
FAST = "(not own_database or connector) and not browser and not fault"
AT_ONCE = 2


def visit(moment: str, arguments: list[str]) -> tuple[int, str]:
    """The exit code of the run at this moment, and what it said."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", FAST, "--at", moment, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", default="", help="only those with this text in them")
    options, rest = parser.parse_known_args(arguments)
    chosen = [moment for moment in MOMENTS if options.moments in moment]
    sys.stdout.write("| moment (UTC) | what it is | result |\n|---|---|---|\n")
    failed = not chosen
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for moment, (code, said) in zip(chosen, pool.map(lambda at: visit(at, rest), chosen), strict=True):
            result = said.strip().splitlines()[-1] if said.strip() else f"exit code {code}"
            sys.stdout.write(f"| {moment} | {MOMENTS[moment]} | {'FAILED: ' if code else ''}{result} |\n")
            sys.stdout.flush()
            if code:
                failed = True
                sys.stderr.write(said)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

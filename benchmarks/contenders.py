"""What the benchmarks of jobs have in common: their options, and each side measured in a process of its own."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from benchmarks.settings import environment

Measured = dict[str, Any]


def options(description: str | None, sides: Iterable[str], *, sizes: str, counted: str) -> argparse.ArgumentParser:
    """A parser that knows what every benchmark asks; `counted` is what a size counts."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=sizes, help=f"{counted}, separated by commas")
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    parser.add_argument("--pages", default="", help="keep the generated answers in this folder for the next call")
    parser.add_argument("--rounds", type=int, default=1, help="measure so often and keep each side's quickest")
    parser.add_argument("--side", choices=tuple(sides), help=argparse.SUPPRESS)
    return parser


def numbers(told: str) -> list[int]:
    """An option's numbers, which stand between commas."""
    return [int(one) for one in told.split(",")]


def quickest(program: str, sides: Iterable[str], rounds: int, url: str, *arguments: str) -> dict[str, Measured]:
    """All sides in turn, so many times over, each by the benchmark's own program in a process apart; the quickest."""
    sides = list(sides)
    found = [{side: _apart(program, side, url, arguments) for side in sides} for _ in range(rounds)]
    return {side: min((one[side] for one in found), key=lambda one: one["seconds"]) for side in sides}


def _apart(program: str, side: str, url: str, arguments: Iterable[str]) -> Measured:
    command = [sys.executable, program, "--side", side, *arguments]
    done = subprocess.run(command, env=environment(url), stdout=subprocess.PIPE, check=True, text=True)
    told: Measured = json.loads(done.stdout.splitlines()[-1])
    return told

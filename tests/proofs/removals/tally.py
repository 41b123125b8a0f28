"""What stories came to, added up over chunks that were played at different times, in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proofs.removals.watch import CLAIMS, Result, claim_of

PLAYED = Path(__file__).with_name("played.jsonl")
SHARES = {"SQLite": range(7_500), "PostgreSQL": range(7_500, 10_000)}  # which seeds are played where


@dataclass
class Tally:
    """Stories played and their counters; `broken` counts the stories that broke each invariant, `seeds` are theirs."""

    stories: int = 0
    seconds: float = 0
    counters: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    seeds: list[int] = field(default_factory=list)

    def add_result(self, result: Result) -> None:
        seed, counters, text = result
        self.stories += 1
        self.counters.update(counters)
        if text:
            self.broken[claim_of(text)] += 1
            self.seeds.append(seed)

    def add(self, other: Tally) -> None:
        self.stories += other.stories
        self.seconds += other.seconds
        self.counters += other.counters
        self.broken += other.broken
        self.seeds += other.seeds

    def as_table(self) -> str:
        """All figures as a table: first the invariants, then what was met on the way."""
        bound = f"{3 / self.stories:.2%}" if self.stories and not self.seeds else "–"
        rows: list[tuple[str, Any]] = [
            ("stories", self.stories),
            ("stories that went wrong", len(self.seeds)),
            ("at most that share goes wrong (95 %)", bound),
            *((claim, self.broken[claim]) for claim in CLAIMS),
            *sorted(self.counters.items()),
            ("seconds", round(self.seconds)),
        ]
        lines = (f"| {name} | {number if isinstance(number, str) else f'{number:,}'} |\n" for name, number in rows)
        return "| what | number |\n|---|---|\n" + "".join(lines)

    def as_json(self, **about: Any) -> str:
        """One line of the file of chunks."""
        values = {"stories": self.stories, "seconds": self.seconds, "counters": self.counters, "broken": self.broken}
        return json.dumps({**about, **values, "seeds": self.seeds})


def read(path: Path) -> list[tuple[dict[str, Any], Tally]]:
    """The chunks of a file: what each was about, and its tally. A chunk played again replaces the earlier one."""
    found: dict[str, tuple[dict[str, Any], Tally]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        values = json.loads(line)
        about = {name: values[name] for name in ("database", "first", "until")}
        tally = Tally(values["stories"], values["seconds"], Counter(values["counters"]), Counter(values["broken"]))
        tally.seeds = values["seeds"]
        found[json.dumps(about)] = (about, tally)
    return list(found.values())


def total(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for one in tallies:
        whole.add(one)
    return whole

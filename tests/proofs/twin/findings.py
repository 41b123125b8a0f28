"""What worlds came to, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

FIGURES = ("worlds", "refreshes", "seats", "days", "covered", "unnoticed")


@dataclass
class Findings:
    """Figures of one or more worlds.

    `seats` and `days` were compared with the ledger, `covered` seats with the truth. `excused` are true uses of covered
    seats that nobody could know, by reason. `unnoticed` losses are faults that leave no trace by the documented bounds.
    `met` are the faults that came to pass, by kind and route. `failed` is the story of a world that went wrong.
    """

    worlds: int = 0
    refreshes: int = 0
    seats: int = 0
    days: int = 0
    covered: int = 0
    unnoticed: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    failed: str = ""

    def add(self, other: Findings) -> None:
        for name in FIGURES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.excused += other.excused
        self.met += other.met
        self.wrong += other.wrong

    def as_table(self, failed: int, seconds: float) -> str:
        """All figures as a table, with the faults by kind."""
        kinds: Counter[str] = Counter()
        for (kind, _), times in self.met.items():
            kinds[kind] += times
        rows = [
            ("worlds", self.worlds),
            ("worlds that went wrong", failed),
            ("wrong: last activity, days, presence, covered or not alive", len(self.wrong)),
            ("refreshes", self.refreshes),
            ("seats compared with the ledger", self.seats),
            ("days of use compared", self.days),
            ("covered seats compared with the truth", self.covered),
            *((f"uses excused: {why}", number) for why, number in sorted(self.excused.items())),
            ("losses that leave no trace", self.unnoticed),
            (f"faults met, on {len({route for _, route in self.met})} routes", sum(kinds.values())),
            *((f"fault: {kind}", number) for kind, number in sorted(kinds.items())),
            ("seconds", round(seconds)),
        ]
        return "| what | number |\n|---|---|\n" + "".join(f"| {name} | {number:,} |\n" for name, number in rows)

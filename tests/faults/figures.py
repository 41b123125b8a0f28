"""The figures of the fault catalog: what was injected, what must hold, and what was measured, one line per figure."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_VARIABLE = "FAULT_FIGURES"
# What concerns download, activity, tokens, the audit trail and scheduling; the other faults belong to other parts.
WANTED = tuple(f"F{number}" for number in (*range(9, 16), 29, *range(32, 39), *range(42, 66)))
RELATIONS: dict[str, Callable[[float, float], bool]] = {"=": operator.eq, "≤": operator.le, "≥": operator.ge}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table: `must_hold` names what was counted, `bound` is such as "= 0" or "≤ 2 s"."""

    fault: str
    injected: str
    must_hold: str
    value: float
    bound: str
    seconds: float = 0.0
    database: str = ""

    @property
    def _bound(self) -> tuple[str, float, str]:
        found = re.fullmatch(r"([=≤≥]) ([0-9.]+) ?(.*)", self.bound)
        if not found:
            raise ValueError(f"Not a bound: {self.bound}")
        return found[1], float(found[2]), found[3]

    @property
    def holds(self) -> bool:
        relation, limit, _ = self._bound
        return RELATIONS[relation](self.value, limit)

    @property
    def text(self) -> str:
        number = f"{self.value:.0f}" if float(self.value).is_integer() else f"{self.value:.2f}"
        return f"{number} {self._bound[2]}".strip()


def append(path: Path, figures: Iterable[Figure]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(figure)) + "\n" for figure in figures)


def read(path: Path) -> list[Figure]:
    """The figures in the order of the catalog."""
    found = [Figure(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    return sorted(found, key=lambda figure: int(figure.fault[1:]))


def missing(figures: Iterable[Figure]) -> list[str]:
    """The faults that were to be measured and have no row."""
    measured = {figure.fault for figure in figures}
    return [fault for fault in WANTED if fault not in measured]


def table(figures: Iterable[Figure]) -> str:
    """As Markdown."""
    head = ["fault", "injected", "must hold", "measured", "seconds", "database"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|---:|---:|---|"]
    for one in figures:
        measured = one.text if one.holds else f"**{one.text}**, does not hold"
        must_hold = f"{one.must_hold} {one.bound}"
        cells = [one.fault, one.injected, must_hold, measured, f"{one.seconds:.1f}", one.database]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)

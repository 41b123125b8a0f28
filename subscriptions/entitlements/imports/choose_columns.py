"""Which column of a file is which: what its headings say by themselves, and what a person chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from samsaas.lib.spreadsheets.cells import show_cell
from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS, Row, Sheet, simplify_heading
from subscriptions.entitlements.columns import BY_KEY, COLUMNS, KEY_OF, RIGHTS, UNLIMITED

OURS = {"number", "state", *OWN_COLUMNS}  # columns of our own exports that say nothing of a new entitlement
SAMPLES, SHOWN = 3, 60  # lines of the file, and letters of a cell, that help to choose


@dataclass(frozen=True)
class Choice:
    """The place of each field in the file, and what is missing or not clear."""

    places: dict[str, int]
    missing: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return not self.missing and not self.unclear


def is_known(heading: str) -> bool:
    """Whether a heading is one of the template, or of other programs."""
    return heading in KEY_OF or heading in OURS


def read_headings(headings: Sequence[str]) -> Choice:
    """What the headings say by themselves. Two columns that could be the same field are unclear."""
    found: dict[str, list[int]] = {}
    for place, heading in enumerate(headings):
        if key := KEY_OF.get(simplify_heading(heading)):
            found.setdefault(key, []).append(place)
    places = {key: _choose_place(key, several, headings) for key, several in found.items()}
    clear = {key: place for key, place in places.items() if place is not None}
    return _judge(clear, [BY_KEY[key].label for key, place in places.items() if place is None])


def _choose_place(key: str, several: list[int], headings: Sequence[str]) -> int | None:
    """The only column, or the one that has the very heading of the template."""
    exact = [place for place in several if simplify_heading(headings[place]) == BY_KEY[key].label.lower()]
    candidates = exact or several
    return candidates[0] if len(candidates) == 1 else None


def use_chosen(chosen: Mapping[str, Any], headings: Sequence[str]) -> Choice:
    """What a person chose, as far as the file has such columns."""
    places = {key: place for key, place in chosen.items() if key in BY_KEY and 0 <= place < len(headings)}
    return _judge(places, [])


def _judge(places: dict[str, int], unclear: list[str]) -> Choice:
    required = [column.key for column in COLUMNS if column.is_required and column.key != RIGHTS]
    missing = [BY_KEY[key].label for key in required if key not in places]
    if RIGHTS not in places and UNLIMITED not in places:
        missing.append(f"{BY_KEY[RIGHTS].label} or {BY_KEY[UNLIMITED].label}")
    return Choice(places, [label for label in missing if label not in unclear], unclear)


def list_unused(headings: Sequence[str], choice: Choice) -> list[str]:
    """The headings of columns that are not read."""
    used = set(choice.places.values())
    return [
        heading
        for place, heading in enumerate(headings)
        if heading and place not in used and simplify_heading(heading) not in OURS
    ]


def describe_file(sheet: Sheet, rows: Sequence[Row]) -> dict[str, Any]:
    """What a person sees of the file while choosing: its headings, its first lines, its sheets."""
    samples = [
        ", ".join(filter(None, (show_cell(row.cells[place])[:SHOWN] for row in rows if place < len(row.cells))))
        for place in range(len(sheet.headings))
    ]
    return {"headings": sheet.headings, "samples": samples, "sheet": sheet.name, "sheets": sheet.names}

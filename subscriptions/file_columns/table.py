"""The columns that an import knows, and which column of a file is which: by its headings, or as a person chose."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from samsaas.lib.spreadsheets.cells import show_cell
from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS, Row, Sheet, fold_heading

SAMPLES, SHOWN = 3, 60  # lines of the file, and letters of a cell, that help to choose


@dataclass(frozen=True)
class FileColumn:
    """One column: its heading in the template, other headings that mean it, what to fill in, and an example."""

    key: str
    label: str
    meaning: str
    example: str = ""
    others: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True)
class Choice:
    """The place of each field in the file, and what is missing or not clear."""

    places: dict[str, int]
    missing: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return not self.missing and not self.unclear


@dataclass(frozen=True)
class ColumnTable:
    """The columns of one kind of file. Besides the required ones, one of `either` has to be there.

    `ours` are columns of our own exports that say nothing.
    """

    columns: tuple[FileColumn, ...]
    either: tuple[str, ...] = ()
    ours: frozenset[str] = frozenset(OWN_COLUMNS)

    @cached_property
    def by_key(self) -> dict[str, FileColumn]:
        return {column.key: column for column in self.columns}

    @cached_property
    def key_of(self) -> dict[str, str]:
        """The field that a heading means, as `fold_heading` writes it."""
        return {fold_heading(name): one.key for one in self.columns for name in (one.label, *one.others)}

    @cached_property
    def passed_over(self) -> set[str]:
        return {fold_heading(heading) for heading in self.ours}

    def is_passed_over(self, heading: str) -> bool:
        return fold_heading(heading) in self.passed_over

    def is_known(self, heading: str) -> bool:
        """Whether a heading is one of the template, or of other programs."""
        folded = fold_heading(heading)
        return folded in self.key_of or folded in self.passed_over

    def read_headings(self, headings: Sequence[str]) -> Choice:
        """What the headings say by themselves. Two columns that could be the same field are unclear."""
        found: dict[str, list[int]] = {}
        for place, heading in enumerate(headings):
            if key := self.key_of.get(fold_heading(heading)):
                found.setdefault(key, []).append(place)
        places = {key: self._choose_place(key, several, headings) for key, several in found.items()}
        clear = {key: place for key, place in places.items() if place is not None}
        return self._judge(clear, [self.by_key[key].label for key, place in places.items() if place is None])

    def _choose_place(self, key: str, several: list[int], headings: Sequence[str]) -> int | None:
        """The only column, or the one that has the very heading of the template."""
        exact = [place for place in several if fold_heading(headings[place]) == fold_heading(self.by_key[key].label)]
        candidates = exact or several
        return candidates[0] if len(candidates) == 1 else None

    def use_chosen(self, chosen: Mapping[str, Any], headings: Sequence[str]) -> Choice:
        """What a person chose, as far as the file has such columns."""
        places = {key: place for key, place in chosen.items() if key in self.by_key and 0 <= place < len(headings)}
        return self._judge(places, [])

    def _judge(self, places: dict[str, int], unclear: list[str]) -> Choice:
        required = [column.key for column in self.columns if column.is_required and column.key not in self.either]
        missing = [self.by_key[key].label for key in required if key not in places]
        if self.either and not places.keys() & set(self.either):
            missing.append(" or ".join(self.by_key[key].label for key in self.either))
        return Choice(places, [label for label in missing if label not in unclear], unclear)

    def list_unused(self, headings: Sequence[str], choice: Choice) -> list[str]:
        """The headings of columns that are not read."""
        used = set(choice.places.values())
        return [
            heading
            for place, heading in enumerate(headings)
            if heading and place not in used and not self.is_passed_over(heading)
        ]

    def sign_headings(self, headings: Sequence[str]) -> str:
        """A text that is the same for files with the same headings in the same places."""
        folded = [fold_heading(heading) for heading in headings]
        told = [heading for heading in folded if heading not in self.passed_over]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()


def describe_file(sheet: Sheet, rows: Sequence[Row]) -> dict[str, Any]:
    """What a person sees of the file while choosing: its headings, its first lines, its sheets."""
    samples = [
        ", ".join(filter(None, (show_cell(row.cells[place])[:SHOWN] for row in rows if place < len(row.cells))))
        for place in range(len(sheet.headings))
    ]
    return {"headings": sheet.headings, "samples": samples, "sheet": sheet.name, "sheets": sheet.names}

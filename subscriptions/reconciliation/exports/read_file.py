"""Read an exported position back, from CSV or from a workbook. Nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from samsaas.lib import csv_export
from samsaas.lib.spreadsheets import open_sheet
from samsaas.lib.spreadsheets.cells import show_cell
from samsaas.lib.spreadsheets.sheet import Sheet, SheetLimits, Unreadable, printable_heading, simplify_heading
from subscriptions.reconciliation.exports import columns, rows, signed_text

LIMITS = SheetLimits(rows=200_000, columns=200)
KNOWN = {simplify_heading(printable_heading(heading)) for heading in columns.HEADER}


@dataclass
class ReadFile:
    """What a file holds: headings and rows of figures as text, rows about them, the signature and the signed text."""

    headings: list[str]
    figures: list[list[str]] = field(default_factory=list)
    about: list[list[str]] = field(default_factory=list)
    signature: str = ""
    key_id: str = ""
    pieces: list[tuple[str, str]] = field(default_factory=list)


def run(file: BinaryIO) -> ReadFile:
    """The file. Raises `Unreadable`."""
    first = _open(file, rows.POSITION_SHEET)
    found = ReadFile(first.headings)
    for cells in _read_texts(first):
        _sort_in(found, cells)
    for name in (rows.ABOUT_SHEET, rows.SIGNATURE_SHEET):
        if name in first.names:
            for cells in _read_texts(_open(file, name)):
                _sort_in(found, cells)
    return found


def _open(file: BinaryIO, name: str) -> Sheet:
    return open_sheet.run(file, LIMITS, known=KNOWN.__contains__, name=name)


def _read_texts(sheet: Sheet) -> Iterator[list[str]]:
    is_workbook = bool(sheet.names)
    for row in sheet.rows:
        yield [_read_text(cell, is_workbook) for cell in row.cells]


def _read_text(cell: Any, is_workbook: bool) -> str:
    return show_cell(cell) if is_workbook else csv_export.plain_cell(str(cell))


def _sort_in(found: ReadFile, cells: Sequence[str]) -> None:
    kind, what, value = (*cells, "", "", "")[:3]
    if kind == signed_text.SIGNATURE:
        found.key_id, found.signature = what, value
    elif kind == signed_text.CONTENT:
        found.pieces.append((what, value))
    elif kind == rows.ABOUT:
        found.about.append([kind, what, value])
    else:
        found.figures.append(list(cells))


__all__ = ["ReadFile", "Unreadable", "run"]

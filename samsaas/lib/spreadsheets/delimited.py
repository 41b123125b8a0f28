"""Read CSV from any program. The file is streamed, one record at a time.

The encoding has to be sure: UTF-8, UTF-16 with its mark, or one that a person chose. A problem of the whole file (its
encoding, its header, a quote that never closes) raises `Unreadable`, because then no line can be trusted.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from samsaas.lib import csv_export
from samsaas.lib.spreadsheets.encodings import NOT_UTF8, SAVE_AS_UTF8, UNREAD, UTF_8, UTF_8_MARK, open_utf8
from samsaas.lib.spreadsheets.sheet import (
    MOST_EMPTY,
    Known,
    Row,
    Sheet,
    SheetLimits,
    Unreadable,
    is_own_file,
    printable_heading,
    simplify_heading,
)

LONGEST_LINE = 64 * 1024
LONGEST_RECORD = 2 * LONGEST_LINE  # the csv module takes no longer cell
DELIMITERS = ",;\t"
EXCEL_SEPARATOR = re.compile(r"sep=.", re.IGNORECASE)


def read(file: BinaryIO, limits: SheetLimits, known: Known, encoding: str = "") -> Sheet:
    """The headings and the rows below them. The separator is the one that finds most known headings.

    `encoding` is the one that a person chose for a file that is no UTF-8. If that is UTF-8, lines that are none have a
    problem.
    """
    source = _Source(open_utf8(file, encoding), lenient=encoding == UTF_8)
    begins = islice(source, MOST_EMPTY)
    first = next((line for line in begins if line.strip() and not EXCEL_SEPARATOR.fullmatch(line.strip())), None)
    if first is None:
        raise Unreadable(f"The file is empty, or its first {MOST_EMPTY:,} lines are.")
    delimiter, headings = _split_header(first, known)
    if len(headings) > limits.columns:
        raise Unreadable(f"The file has {len(headings):,} columns. At most {limits.columns} are read.")
    is_own = is_own_file(headings)
    rows = _read_rows(source, delimiter, headings, limits, is_own)
    return Sheet([printable_heading(text) for text in headings], rows, is_own=is_own)


class _Source:
    """The lines of the file as text. `number` is that of the last line read, for messages."""

    def __init__(self, file: BinaryIO, *, lenient: bool) -> None:
        self.file, self.lenient, self.number, self.began, self.since = file, lenient, 0, 1, 0

    def begin_record(self) -> int:
        """Start a new record and return the number of its first line."""
        self.began, self.since = self.number + 1, 0
        return self.began

    def __iter__(self) -> Iterator[str]:
        while raw := self.file.readline(LONGEST_LINE + 1):
            self.number += 1
            self.since += len(raw)
            if len(raw) > LONGEST_LINE:
                raise Unreadable(f"Line {self.number} is longer than 64 KB. This is not a table.")
            if self.since > LONGEST_RECORD:
                raise Unreadable(f"A quote in the record that begins on line {self.began} is never closed.")
            while self.number == 1 and raw.startswith(UTF_8_MARK):  # some programs write two
                raw = raw.removeprefix(UTF_8_MARK)
            yield self._decode_line(raw)

    def _decode_line(self, raw: bytes) -> str:
        try:
            return raw.decode(errors="replace" if self.lenient else "strict")
        except UnicodeDecodeError:
            raise Unreadable(f"Line {self.number} is not UTF-8. {SAVE_AS_UTF8}") from None


def _split_header(line: str, known: Known) -> tuple[str, list[str]]:
    found = [(delimiter, _parse_line(line, delimiter)) for delimiter in DELIMITERS]
    return max(found, key=lambda one: (sum(map(known, map(simplify_heading, one[1]))), len(one[1])))


def _parse_line(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _read_rows(
    source: _Source, delimiter: str, headings: list[str], limits: SheetLimits, is_own: bool
) -> Iterator[Row]:
    reader = csv.reader(iter(source), delimiter=delimiter, strict=True)
    count, wanted = 0, len(headings)
    while True:
        line = source.begin_record()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unreadable(f"The quotes of the record on line {line} do not match ({error}).") from None
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > limits.rows:
            raise Unreadable(f"The file has more than {limits.rows:,} lines. Upload it in parts.")
        if is_own:
            cells = [csv_export.plain_cell(cell.strip()) for cell in cells]
        yield _shape_row(line, cells, wanted, lenient=source.lenient)


def _shape_row(line: int, cells: list[str], wanted: int, *, lenient: bool) -> Row:
    if lenient and any(UNREAD in cell for cell in cells):
        return Row(line, cells[:wanted], NOT_UTF8, surplus=cells[wanted:])
    if len(cells) == wanted:
        return Row(line, cells)
    return Row(line, cells[:wanted], _shape_problem(len(cells), wanted), len(cells) < wanted, cells[wanted:])


def _shape_problem(there: int, wanted: int) -> str:
    return f"The line has {there} cells, the first line has {wanted}: quote a cell that contains a separator."

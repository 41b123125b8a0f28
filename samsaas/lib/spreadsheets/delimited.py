"""Read CSV from any program. The file is streamed, one record at a time.

The encoding has to be sure: UTF-8, or UTF-16 with its mark. A problem of the whole file (its encoding, its header, a
quote that never closes) raises `Unreadable`, because then no line can be trusted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from samsaas.lib import csv_export
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
UTF_8_MARK, UTF_16_MARKS = codecs.BOM_UTF8, (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HEAD, CHUNK = 4096, 64 * 1024
SAVE_AS_UTF8 = "Save it as CSV in UTF-8 (in Excel: “CSV UTF-8”) and upload it again."


def read(file: BinaryIO, limits: SheetLimits, known: Known) -> Sheet:
    """The headings and the rows below them. The separator is the one that finds most known headings."""
    source = _Source(_open_utf8(file))
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


def check_encoding(head: bytes) -> None:
    """Refuse what cannot be text in an encoding that is sure. Raises `Unreadable`."""
    if not head.startswith(UTF_16_MARKS) and head.count(0) > len(head) // 4:
        raise Unreadable(f"The file is written in UTF-16 without its mark, or is not text. {SAVE_AS_UTF8}")


class _Source:
    """The lines of the file as text. `number` is that of the last line read, for messages."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.number, self.began, self.since = file, 0, 1, 0

    def begin_record(self) -> int:
        """Start a new record and return the number of its first line."""
        self.began, self.since = self.number + 1, 0
        return self.began

    def __iter__(self) -> Iterator[str]:
        while raw := self.file.readline(LONGEST_LINE + 1):
            self.number += 1
            self.since += len(raw)
            if len(raw) > LONGEST_LINE:
                raise Unreadable(f"Line {self.number} is longer than 64 KB. {self._long_line_hint(raw)}")
            if self.since > LONGEST_RECORD:
                raise Unreadable(f"A quote in the record that begins on line {self.began} is never closed.")
            yield self._decode_line(raw.removeprefix(UTF_8_MARK) if self.number == 1 else raw)

    def _decode_line(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Unreadable(f"Line {self.number} is not UTF-8. {SAVE_AS_UTF8}") from None

    def _long_line_hint(self, raw: bytes) -> str:
        return SAVE_AS_UTF8 if b"\r" in raw.rstrip(b"\r\n") else "This is not a table."


class _FromUtf16(io.RawIOBase):
    """The bytes of a file in UTF-16 as UTF-8."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.left = file, b""
        self.decoder = codecs.getincrementaldecoder("utf-16")()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.left and (chunk := self.file.read(CHUNK)):
            self.left = self._decode_chunk(chunk)
        if not self.left:
            self._decode_chunk(b"", final=True)
        count = min(len(buffer), len(self.left))
        buffer[:count], self.left = self.left[:count], self.left[count:]
        return count

    def _decode_chunk(self, chunk: bytes, final: bool = False) -> bytes:
        try:
            return self.decoder.decode(chunk, final).encode()
        except UnicodeError:
            raise Unreadable(f"The file begins as UTF-16, and is none. {SAVE_AS_UTF8}") from None


def _open_utf8(file: BinaryIO) -> BinaryIO:
    """The file in UTF-8, whichever of the two encodings it has."""
    buffered = file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[type-var]
    head = buffered.peek(HEAD)[:HEAD]
    check_encoding(head)
    return io.BufferedReader(_FromUtf16(buffered)) if head.startswith(UTF_16_MARKS) else buffered


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
        yield Row(line, cells, "" if len(cells) == wanted else _shape_problem(len(cells), wanted))


def _shape_problem(there: int, wanted: int) -> str:
    return f"The line has {there} cells, the first line has {wanted}: quote a cell that contains a separator."

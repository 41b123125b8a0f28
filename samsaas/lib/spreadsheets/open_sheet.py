"""Open a file as a table, whatever it is: an Excel workbook or CSV."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, BinaryIO

from samsaas.lib.spreadsheets import archive, delimited, encodings, workbook
from samsaas.lib.spreadsheets.sheet import Known, Sheet, SheetLimits, Unreadable

GZIP = b"\x1f\x8b"
ACCEPTED = ".csv,.xlsx,text/csv"  # what a file chooser offers


def run(file: BinaryIO, limits: SheetLimits, *, known: Known, name: str = "", encoding: str = "") -> Sheet:
    """The table in a file that can be read from its beginning. Raises `Unreadable`.

    `known` tells which headings the reader knows. `name` is the sheet of a workbook, empty for the first one.
    `encoding` is that of a text file which is no UTF-8.
    """
    head = encodings.read_head_of(file)
    refuse_others(head)
    if head.startswith(archive.ZIP):
        return workbook.read(file, limits, name=name)
    return delimited.read(file, limits, known, encoding)


def check_beginning(file: BinaryIO, limits: SheetLimits, *, known: Known, encoding: str = "") -> Sheet | None:
    """What can be said at once of a file of any size. Gives the table if it is CSV. Raises `Unreadable`."""
    head = encodings.read_head_of(file)
    refuse_others(head)
    if head.startswith(archive.ZIP):
        archive.check_archive(file)
        return None
    return delimited.read(read_beginning(file), limits, known, encoding)


def read_beginning(file: BinaryIO) -> BinaryIO:
    """As much of a file as is looked at before a job reads the rest."""
    file.seek(0)
    beginning = file.read(2 * delimited.LONGEST_RECORD)
    file.seek(0)
    return io.BytesIO(beginning)


def list_foreign_lines(file: BinaryIO) -> list[dict[str, Any]]:
    """Lines that show in which encoding a text file can be, see `encodings`; empty if that is sure."""
    if encodings.read_head_of(file).startswith(archive.ZIP):
        return []
    return encodings.list_foreign_lines(file)


def guess_rows(pieces: Iterable[bytes]) -> int | None:
    """About how many rows a CSV file has, for a progress bar; a quoted cell may contain line ends too."""
    count = 0
    for number, piece in enumerate(pieces):
        if number == 0 and piece.startswith(archive.ZIP):
            return None
        count += piece.count(b"\n")
    return count


def refuse_others(head: bytes) -> None:
    """Refuse what is neither a workbook nor text. Raises `Unreadable`."""
    if head.startswith(archive.OLD_OFFICE):
        raise Unreadable(archive.PROTECTED)
    if head.startswith(GZIP):
        raise Unreadable(archive.NO_WORKBOOK)
    if not head.startswith(archive.ZIP):
        encodings.check_encoding(head)

"""Open a file as a table, whatever it is: an Excel workbook or CSV."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO

from samsaas.lib.spreadsheets import archive, delimited, workbook
from samsaas.lib.spreadsheets.sheet import Known, Sheet, SheetLimits, Unreadable

HEAD = 4096
GZIP = b"\x1f\x8b"
ACCEPTED = ".csv,.xlsx,text/csv"  # what a file chooser offers


def run(file: BinaryIO, limits: SheetLimits, *, known: Known, name: str = "") -> Sheet:
    """The table in a file that can be read from its beginning. Raises `Unreadable`.

    `known` tells which headings the reader knows. `name` is the sheet of a workbook, empty for the first one.
    """
    head = read_head(file)
    refuse_others(head)
    if head.startswith(archive.ZIP):
        return workbook.read(file, limits, name=name)
    return delimited.read(file, limits, known)


def check_beginning(file: BinaryIO, limits: SheetLimits, *, known: Known) -> Sheet | None:
    """What can be said at once of a file of any size. Gives the table if it is CSV. Raises `Unreadable`."""
    head = read_head(file)
    refuse_others(head)
    if head.startswith(archive.ZIP):
        archive.check_archive(file)
        return None
    return delimited.read(io.BytesIO(file.read(2 * delimited.LONGEST_RECORD)), limits, known)


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
        delimited.check_encoding(head)


def read_head(file: BinaryIO) -> bytes:
    """The first bytes. The file stands at its beginning afterwards."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    return head

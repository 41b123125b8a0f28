"""Look at a workbook before a library reads it: some kilobytes can unpack to gigabytes, or declare that they do.

1. `check_archive` reads the table of contents only: what kind of file it is, and how large it says its parts are. The
   zip module reads no more of a part than that.
2. `check_part` runs through a part without building anything, and counts. It refuses declarations of entities, and
   more elements than a workbook of the allowed size has.
"""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO
from xml.parsers import expat

from samsaas.lib.spreadsheets.sheet import Unreadable

LARGEST_UNPACKED = 50 * 1024 * 1024
MOST_PARTS = 2000
MOST_ELEMENTS = 3_000_000  # about as many as 50 MB hold, if every cell has a value
MOST_CHILDREN = 20_000  # Excel's widest row has 16,384 cells
MOST_ENTRIES = 200_000  # of lists that grow with the rows
DEEPEST = 64
CHUNK = 256 * 1024
ZIP, OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MANIFEST = "[Content_Types].xml"
ROWS = {"sheetData", "sst"}  # elements that hold any number of rows, or texts
LISTS = {"calcChain", "cellXfs", "commentList", "definedNames", "hyperlinks", "mergeCells"}

DAMAGED = "The workbook is damaged and cannot be read. Open it in your spreadsheet program, and save it again as .xlsx."
PROTECTED = (
    "The workbook is protected by a password, or is an old .xls file. Save it as .xlsx without a password, or as CSV."
)
NO_WORKBOOK = "This is an archive, but no Excel workbook (.xlsx). Save the table as .xlsx or as CSV."
TOO_LARGE = "The workbook unpacks to more than 50 MB. Save only its table, as .xlsx or as CSV."


def check_archive(file: BinaryIO) -> None:
    """Refuse what is no workbook, is encrypted, or is too large when unpacked. Raises `Unreadable`."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError):
        raise Unreadable(DAMAGED) from None
    if any(part.flag_bits & 0x1 for part in parts):
        raise Unreadable(PROTECTED)
    names = {part.filename for part in parts}
    if MANIFEST not in names or not any(name.startswith("xl/") for name in names):
        raise Unreadable(NO_WORKBOOK)
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise Unreadable(TOO_LARGE)


def check_part(stream: Any) -> None:
    """Run through the XML of a part, whatever its name. Raises `Unreadable`.

    A picture is no XML. Whoever reads it as XML all the same gets no further than we do.
    """
    counter = _Counter()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = counter.begin
    parser.EndElementHandler = counter.end
    parser.EntityDeclHandler = counter.refuse
    parser.StartDoctypeDeclHandler = counter.refuse
    try:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        if counter.elements:
            raise Unreadable(DAMAGED) from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, LookupError):
        raise Unreadable(DAMAGED) from None


class _Counter:
    """How many elements there were, and how many children each of those that are open has."""

    def __init__(self) -> None:
        self.elements = 0
        self.names: list[str] = []
        self.children: list[int] = [0]

    def begin(self, name: str, attributes: Any) -> None:
        self.elements += 1
        self.children[-1] += 1
        if self.elements > MOST_ELEMENTS or len(self.names) >= DEEPEST or self.children[-1] > self._most_children():
            raise Unreadable(TOO_LARGE)
        self.names.append(name.rpartition(" ")[2])
        self.children.append(0)

    def _most_children(self) -> int:
        parent = self.names[-1] if self.names else ""
        if parent in ROWS:
            return MOST_ELEMENTS
        return MOST_ENTRIES if parent in LISTS else MOST_CHILDREN

    def end(self, name: str) -> None:
        self.names.pop()
        self.children.pop()

    def refuse(self, *declared: Any) -> None:
        raise Unreadable(DAMAGED)

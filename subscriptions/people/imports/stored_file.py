"""An uploaded file, stored in the database until a worker reads it, so that web and worker need not share a disk.

It is stored in pieces, so that neither of them has to hold all of it in memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from subscriptions.models import PersonImport, PersonImportPiece

PIECE = 1024 * 1024  # bytes


def store_pieces(upload: PersonImport, file: BinaryIO) -> None:
    """Store the whole file. Call it in a transaction."""
    file.seek(0)
    number = 0
    while data := file.read(PIECE):
        PersonImportPiece.objects.create(upload=upload, number=number, data=data)
        number += 1


def read_pieces(upload: PersonImport) -> Iterator[bytes]:
    """The pieces of the file in order, one at a time."""
    stored = upload.pieces.order_by("number").values_list("data", flat=True)
    number = 0
    while found := stored.filter(number=number).first():
        yield bytes(found)
        number += 1


def count_line_ends(upload: PersonImport) -> int:
    """About how many lines the file has; a quoted cell may contain line ends too."""
    return sum(piece.count(b"\n") for piece in read_pieces(upload))


def open_pieces(upload: PersonImport) -> BinaryIO:
    """The stored file, to be read once."""
    return io.BufferedReader(_Pieces(upload))


class _Pieces(io.RawIOBase):
    def __init__(self, upload: PersonImport) -> None:
        self.coming, self.left = read_pieces(upload), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            self.left = memoryview(next(self.coming, b""))
        count = min(len(buffer), len(self.left))
        buffer[:count], self.left = self.left[:count], self.left[count:]
        return count

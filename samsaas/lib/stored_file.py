"""An uploaded file, stored in the database until a worker reads it, so that web and worker need not share a disk.

It is stored in pieces, so that neither of them has to hold all of it in memory. An upload is a record whose `pieces`
have a `number` and `data`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

PIECE = 1024 * 1024  # bytes


def store_pieces(upload: Any, file: BinaryIO) -> None:
    """Store the whole file. Call it in a transaction."""
    file.seek(0)
    number = 0
    while data := file.read(PIECE):
        upload.pieces.create(number=number, data=data)
        number += 1


def read_pieces(upload: Any) -> Iterator[bytes]:
    """The pieces of the file in order, one at a time."""
    stored = upload.pieces.order_by("number").values_list("data", flat=True)
    number = 0
    while found := stored.filter(number=number).first():
        yield bytes(found)
        number += 1


def open_pieces(upload: Any) -> BinaryIO:
    """The stored file as a temporary one: a workbook is read from its end, so it cannot be streamed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever reads it to its end drops it
    for piece in read_pieces(upload):
        file.write(piece)
    file.seek(0)
    return file

"""The signed text inside a file: compressed, in pieces that fit into a cell, and put together again."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator

SIGNATURE, CONTENT = "Signature", "Signed content"
PIECE = 30_000  # letters; a cell of a workbook takes 32,767
LARGEST_TEXT = 256 * 2**20


class NoText(ValueError):
    """The pieces are no signed text: one was changed or is missing."""


def split(text: str) -> Iterator[tuple[str, str]]:
    """The place of each piece, such as `1 of 3`, and the piece."""
    packed = b64encode(zlib.compress(text.encode(), 9)).decode()
    pieces = [packed[start : start + PIECE] for start in range(0, len(packed), PIECE)]
    for number, piece in enumerate(pieces, start=1):
        yield f"{number} of {len(pieces)}", piece


def join(pieces: Iterable[tuple[str, str]]) -> str:
    """The text of the pieces in any order. Raises `NoText`. A text that unpacks to more than 256 MB is refused."""
    found = {place: piece for place, piece in pieces}
    ordered = [found.get(f"{number} of {len(found)}", "") for number in range(1, len(found) + 1)]
    try:
        unpacked = zlib.decompressobj().decompress(b64decode("".join(ordered), validate=True), LARGEST_TEXT + 1)
        if not found or len(unpacked) > LARGEST_TEXT:
            raise NoText
        return unpacked.decode()
    except (ValueError, zlib.error):
        raise NoText from None

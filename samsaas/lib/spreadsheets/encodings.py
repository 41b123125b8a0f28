"""In which encoding a text file is. It has to be sure, because a wrong guess damages people's names without a word.

A file is UTF-16 if it begins with that mark, and UTF-8 if every byte of it is. Of any other, a person says what it is,
after seeing its lines in each of the `CHOICES`.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from samsaas.lib.spreadsheets.sheet import Unreadable

UTF_8, WESTERN, CENTRAL, MACINTOSH = "utf-8", "cp1252", "cp1250", "mac_roman"
CHOICES = {
    WESTERN: "Windows-1252 (Western Europe)",
    CENTRAL: "Windows-1250 (Central Europe)",
    MACINTOSH: "Mac Roman (old Macintosh)",
    UTF_8: "UTF-8, without the damaged lines",
}
UTF_8_MARK, UTF_16_MARKS = codecs.BOM_UTF8, (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UNREAD = "\ufffd"  # stands for bytes that are no text
HEAD, CHUNK = 4096, 64 * 1024
SAMPLES, SHOWN = 5, 28  # lines, and letters of each, that tell the encodings apart
SAVE_AS_UTF8 = "Save it as CSV in UTF-8 (in Excel: “CSV UTF-8”) and upload it again."
NOT_UTF8 = "The line is not UTF-8."
Convert = Callable[[bytes, bool], bytes]


def check_encoding(head: bytes) -> None:
    """Refuse what cannot be text in an encoding that is sure. Raises `Unreadable`."""
    if not head.startswith(UTF_16_MARKS) and head.count(0) > len(head) // 4:
        raise Unreadable(f"The file is written in UTF-16 without its mark, or is not text. {SAVE_AS_UTF8}")


def open_utf8(file: BinaryIO, encoding: str = "") -> BinaryIO:
    """The file in UTF-8 with line feeds, whatever it is in. `encoding` counts where the file has no mark."""
    buffered = _buffer(file)
    head = buffered.peek(HEAD)[:HEAD]  # type: ignore[attr-defined]
    check_encoding(head)
    if head.startswith(UTF_16_MARKS):
        buffered = _convert(buffered, _decode_with("utf-16", f"The file begins as UTF-16, and is none. {SAVE_AS_UTF8}"))
    elif encoding not in ("", UTF_8) and not head.startswith(UTF_8_MARK):
        buffered = _convert(buffered, _decode_with(encoding, f"The file is not {CHOICES[encoding]}. {SAVE_AS_UTF8}"))
    return _with_line_feeds(buffered)


def list_foreign_lines(file: BinaryIO) -> list[dict[str, Any]]:
    """The first lines that tell the encodings apart, each as it reads in every one; empty if the file is UTF-8.

    They are lines that are no UTF-8, and lines that are and hold more than ASCII: in a file with both, some encoding
    would damage either.
    """
    file.seek(0)
    if read_head_of(file).startswith(UTF_16_MARKS):
        return []
    foreign: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for number, raw in enumerate(_read_lines(file), start=1):
        if raw.isascii():
            continue
        kept = others if _is_utf8(raw) else foreign
        if len(kept) < SAMPLES:
            kept.append(_show_line(number, raw))
        elif len(foreign) == SAMPLES:
            break
    return sorted(foreign + others[:2], key=lambda line: int(line["line"])) if foreign else []


def read_head_of(file: BinaryIO) -> bytes:
    """The first bytes. The file stands at its beginning afterwards."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    return head


def _read_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, none longer than a reader takes: a longer one is cut, for it will be refused anyway."""
    source = _with_line_feeds(_buffer(file))
    while raw := source.readline(CHUNK):
        yield raw


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return len(raw) == CHUNK and error.start > CHUNK - 4  # cut inside a letter
    return True


def _show_line(number: int, raw: bytes) -> dict[str, Any]:
    place = max(next(at for at, byte in enumerate(raw) if byte > 127) - SHOWN // 2, 0)
    piece = raw[place : place + SHOWN].strip()
    names = {code: re.split(r"[,(]", label)[0].strip() for code, label in CHOICES.items()}
    readings = [[name, piece.decode(code, "replace").replace("\0", "")] for code, name in names.items()]
    return {"line": number, "readings": readings}


class _Converted(io.RawIOBase):
    """The bytes of a file, converted piece by piece."""

    def __init__(self, file: BinaryIO, convert: Convert) -> None:
        self.file, self.convert, self.left = file, convert, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.left and (chunk := self.file.read(CHUNK)):
            self.left = self.convert(chunk, False)
        if not self.left:
            self.left = self.convert(b"", True)
        count = min(len(buffer), len(self.left))
        buffer[:count], self.left = self.left[:count], self.left[count:]
        return count


def _buffer(file: BinaryIO) -> BinaryIO:
    return file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[type-var]


def _convert(file: BinaryIO, convert: Convert) -> BinaryIO:
    return io.BufferedReader(_Converted(file, convert))


def _decode_with(encoding: str, problem: str) -> Convert:
    decoder = codecs.getincrementaldecoder(encoding)()

    def decode(chunk: bytes, final: bool) -> bytes:
        try:
            return decoder.decode(chunk, final).encode()
        except UnicodeError:
            raise Unreadable(problem) from None

    return decode


def _with_line_feeds(file: BinaryIO) -> BinaryIO:
    """The file with a line feed for each lone carriage return, if those end its lines: old Macintosh programs do so."""
    head = file.peek(HEAD)[:HEAD]  # type: ignore[attr-defined]
    if b"\r" not in head[:-1] or b"\n" in head:
        return file
    return _convert(file, lambda chunk, _: chunk.replace(b"\r", b"\n"))

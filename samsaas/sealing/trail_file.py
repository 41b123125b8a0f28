"""The audit trail as one file that can be checked without this installation: JSON, a line for each seal and entry.

1. The first line says what the file is, and where the chain begins.
2. Each seal is followed by the entries it sealed. After the line “unsealed” come those that are not sealed yet.
3. The last line has the SHA-256 of all lines before it, signed. So a file that was cut or changed is recognized, too.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from typing import Any

from django.conf import settings

from samsaas.lib import signatures
from samsaas.lib.signatures import PublicKey
from samsaas.models import AuditSeal
from samsaas.sealing import late, seals, verify
from samsaas.sealing.check import Checker, Report
from samsaas.sealing.entries import Form, parse_json, read_numbers, read_range

FORMAT = "samsaas audit trail 1"
PURPOSE = b"samsaas audit trail 1 "
LONGEST_LINE = 4_000_000
SEAL_FIELDS = (*seals.SAYS, "hash", "signature")
UNSIGNED = "The file itself is not signed, because AUDIT_SIGNING_KEY is not set: what is not sealed could be changed."
CUT = "The file was cut, or something was put between its lines: its last line is missing."
CHANGED = "The file was changed: its last line does not fit the lines before it."
Line = dict[str, Any]


class UnreadableFile(Exception):
    """This is no file of an audit trail. The message says what is wrong with it."""


def write(*, now: datetime) -> Iterator[bytes]:
    """The lines of the file, one after the other, with flat memory."""
    digest = sha256()
    for line in _lines(now):
        encoded = _encode(line)
        digest.update(encoded)
        yield encoded
    end = {"type": "end", "sha256": digest.hexdigest(), "key_id": "", "signature": ""}
    if settings.AUDIT_SIGNING_KEY:
        key = signatures.signing_key()
        end |= {"key_id": key.public.id, "signature": b64encode(key.sign(_message(end["sha256"]))).decode()}
    yield _encode(end)


def _message(digest: str) -> bytes:
    return PURPOSE + digest.encode("ascii", "backslashreplace")


def _encode(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _lines(now: datetime) -> Iterator[Line]:
    last = seals.last_seal()
    waiting = late.find(last, now=now)
    purges = AuditSeal.objects.filter(purged__isnull=False).order_by("number")
    keys = [key.text for key in signatures.known_keys().values()]
    at = now.astimezone(UTC).isoformat()
    yield {"type": "trail", "format": FORMAT, "at": at, "keys": keys, "purges": [_seal_line(one) for one in purges]}
    elsewhere = verify.sealed_late() | set(waiting)
    after: int | None = None
    for seal in verify.iterate_seals(last):
        yield _seal_line(seal)
        yield from (_entry_line(*entry) for entry in verify.read_entries(seal, after, elsewhere))
        after = max(after or 0, seal.until_pk)
    yield {"type": "unsealed"}
    rest = chain(read_numbers(waiting), read_range(after, None))
    yield from (_entry_line(*entry) for entry in rest)


def _seal_line(seal: AuditSeal) -> Line:
    return {"type": "seal", **seals.content(seal), "hash": seal.hash, "signature": seal.signature}


def _entry_line(number: int, form: Form) -> Line:
    return {"type": "entry", "id": number, **form}


def check(lines: Iterable[bytes], keys: Mapping[str, PublicKey], kept: tuple[int, str] | None = None) -> Report:
    """Check a file as of the moment it was written. Only signatures of `keys` count, whatever the file says.

    Raises `UnreadableFile`.
    """
    reader = _Reader(lines)
    first = reader.next_line()
    if first.get("type") != "trail" or first.get("format") != FORMAT:
        raise UnreadableFile(f"The file is not of the kind “{FORMAT}”.")
    try:
        checker = Checker(keys, [_read_seal(line) for line in first["purges"]], kept)
        _check_lines(checker, reader, datetime.fromisoformat(first["at"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableFile(f"Line {reader.number} cannot be read.") from error
    _judge_last_line(checker.report, reader, keys)
    return checker.report


class _Reader:
    """Reads line by line, one ahead, and knows the digest of the lines before the last one."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines, self._digest = iter(lines), sha256()
        self._ahead: Line | None = None
        self.number, self.computed, self.is_over = 0, "", False

    def peek(self) -> Line:
        """The next line, which stays the next one. Empty after the last."""
        if self._ahead is None:
            self._ahead = self._read_line()
        return self._ahead

    def next_line(self) -> Line:
        """The next line. Empty after the last. Raises `UnreadableFile`."""
        line, self._ahead = self.peek(), None
        return line

    def _read_line(self) -> Line:
        raw = next(self._lines, b"")
        if not raw:
            return {}
        self.number += 1
        if self.is_over or len(raw) > LONGEST_LINE:
            raise UnreadableFile(f"Line {self.number} should not be there, or is too long.")
        try:
            line = parse_json(raw.decode())
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise UnreadableFile(f"Line {self.number} is no JSON.") from error
        if not isinstance(line, dict):
            raise UnreadableFile(f"Line {self.number} is no JSON object.")
        if line.get("type") == "end":
            self.is_over, self.computed = True, self._digest.hexdigest()
        self._digest.update(raw)
        return line


def _check_lines(checker: Checker, reader: _Reader, now: datetime) -> None:
    while reader.peek().get("type") == "seal":
        checker.check(_read_seal(reader.next_line()), _read_entries(reader))
    late_ones: list[int] = []
    if reader.peek().get("type") == "unsealed":
        reader.next_line()

    def newer() -> Iterator[tuple[int, str]]:
        for number, form in _read_entries(reader):
            if number <= checker.until_pk:
                late_ones.append(number)
            else:
                yield number, str(form.get("at", ""))

    checker.check_unsealed(newer(), late=late_ones, now=now)


def _read_entries(reader: _Reader) -> Iterator[tuple[int, Form]]:
    """The entries up to the next seal or the end."""
    while reader.peek().get("type") == "entry":
        line = reader.next_line()
        yield int(line["id"]), {name: value for name, value in line.items() if name not in ("type", "id")}


def _read_seal(line: Line) -> AuditSeal:
    at = datetime.fromisoformat(line["at"])
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return AuditSeal(at=at, **{name: line[name] for name in SEAL_FIELDS})


def _judge_last_line(report: Report, reader: _Reader, keys: Mapping[str, PublicKey]) -> None:
    """Whether the file is as it was written, from its first line to its last."""
    end = reader.next_line()
    if end.get("type") != "end" or reader.next_line():
        report.add_problem(CUT)
    elif end.get("sha256") != reader.computed:
        report.add_problem(CHANGED)
    elif not end.get("signature"):
        report.add_warning(UNSIGNED)
    elif end.get("key_id") not in keys:
        report.add_problem(f"The file is signed with the key {end.get('key_id')}, which is not one of yours.")
    elif not keys[end["key_id"]].verifies(b64decode(str(end["signature"])), _message(reader.computed)):
        report.add_problem("The signature of the file is wrong.")

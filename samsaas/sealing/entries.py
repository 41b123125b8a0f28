# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""The entries of the audit trail as they are stored, in a form that gives every entry one digest.

The form of an entry is the same on SQLite and on PostgreSQL, in every time zone, and for every order of the keys of its
detail. It holds everything but the entry's number, so that an entry under a foreign number can be recognized.

Values are read past Django's converters. An entry that somebody damaged so that it cannot be read as an entry has a
form, too: that of its raw values. So it has another digest than before, and stops nobody from checking the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from samsaas.lib import sql
from samsaas.models import AuditEntry

TABLE = AuditEntry._meta.db_table
COLUMNS = ("at", "actor_id", "actor_name", "verb", "object_type", "object_id", "object_name", "detail")
TEXTS = COLUMNS[2:]
PAGE = 1000
LONGEST_NUMBER = 400  # digits; a double has at most 309, and a longer one is not worth the memory
UNREADABLE = "unreadable"
Form = dict[str, Any]


def read_range(after: int | None, until: int | None) -> Iterator[tuple[int, Form]]:
    """The entries with a number above `after` and up to `until`, in order, a page at a time. None: unlimited."""
    while True:
        bounds = ["id > %s"] * (after is not None) + ["id <= %s"] * (until is not None)
        where = " AND ".join(bounds) or "true"
        values = [value for value in (after, until) if value is not None]
        page = sql.fetch_rows(f"{_select()} WHERE {where} ORDER BY id LIMIT {PAGE}", values)
        yield from ((row[0], form_of(row[1:])) for row in page)
        if len(page) < PAGE:
            return
        after = page[-1][0]


def read_numbers(numbers: Iterable[int]) -> Iterator[tuple[int, Form]]:
    """The entries with these numbers that are there, in order."""
    wanted = sorted(numbers)
    for start in range(0, len(wanted), PAGE // 2):
        some = wanted[start : start + PAGE // 2]
        places = ", ".join(["%s"] * len(some))
        for row in sql.fetch_rows(f"{_select()} WHERE id IN ({places}) ORDER BY id", some):
            yield row[0], form_of(row[1:])


def form_of(values: tuple[Any, ...]) -> Form:
    """What an entry says, from its columns as they are stored."""
    try:
        at, actor_id, *texts = values
        texts = [_as_text(text) for text in texts]
        readable = {"at": _as_moment(_as_text(at)), "actor_id": actor_id, **dict(zip(TEXTS, texts, strict=True))}
        readable["detail"] = parse_json(readable["detail"])
        encode_form(readable)
    except (ValueError, TypeError, RecursionError, ArithmeticError):
        return {UNREADABLE: repr(values)}
    return readable


def digest_form(form: Form) -> str:
    """The SHA-256 of an entry's form."""
    return sha256(encode_form(form)).hexdigest()


def encode_form(value: Any) -> bytes:
    """JSON with sorted keys, without blanks, in ASCII: one text for one value, whatever wrote it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def parse_json(text: str) -> Any:
    """JSON in which a number has one value: PostgreSQL writes 1e+16 as a whole number, SQLite as it was given."""
    return json.loads(text, parse_float=_as_number, parse_constant=_refuse)


def _as_number(text: str) -> int | float:
    exact = Decimal(text)
    if exact.adjusted() > LONGEST_NUMBER:
        raise ValueError("too large a number")
    return int(exact) if exact == exact.to_integral_value() else float(text)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _as_text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _as_moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return in_utc.isoformat(timespec="microseconds")


def _select() -> str:
    """Texts as bytes on SQLite, because its driver gives up the whole page for one that is not UTF-8."""
    if sql.is_postgresql():
        at, texts = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", ", ".join(TEXTS[:-1])
        return f"SELECT id, {at}, actor_id, {texts}, detail::text FROM {TABLE}"
    texts = ", ".join(f"CAST({name} AS BLOB)" for name in TEXTS)
    return f"SELECT id, CAST(at AS BLOB), actor_id, {texts} FROM {TABLE}"

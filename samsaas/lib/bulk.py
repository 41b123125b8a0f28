# ruff: noqa: S608 - the caller's table and column names are quoted, values are parameters
"""Loading many rows into a table as fast as the database takes them, in constant memory.

Values must be what the database's driver stores for the column; nothing is converted and nothing is validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# Django keeps what it passes to executemany until the call is over, so a stream goes in slices.
SLICE = 1000


def load(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Append `rows` to `table` and return how many there were. A row that does not fit undoes the whole call.

    Streams: `rows` may be a generator of any length. Raises `django.db.Error`.
    """
    quote = connection.ops.quote_name
    body = _copy if connection.vendor == "postgresql" else _insert
    return body(connection, quote(table), [quote(name) for name in columns], rows)


def _copy(connection: Any, table: str, columns: list[str], rows: Iterable[Sequence[Any]]) -> int:
    """COPY in binary, which is half as much work on both sides as text; it wants to know the columns' exact types."""
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} LIMIT 0")
        types = [column.type_code for column in cursor.description]
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            write = copy.write_row
            for row in rows:
                write(row)
        return int(cursor.rowcount)


def _insert(connection: Any, table: str, columns: list[str], rows: Iterable[Sequence[Any]]) -> int:
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    stream, count = iter(rows), 0
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        while batch := list(islice(stream, SLICE)):
            cursor.executemany(statement, batch)
            count += len(batch)
    return count

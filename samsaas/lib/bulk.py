# ruff: noqa: S608 - the caller's table and column names are quoted, values are parameters
"""Bulk loading of rows into a table, at the database's speed and in constant memory.

Values must be what the database driver stores for the column. They are neither converted nor validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# Django keeps all parameters of one executemany call in memory, so a stream is inserted in slices.
SLICE = 1000
Value = TypeVar("Value")


def load(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Append `rows` to `table`. Returns how many there were.

    `rows` may be a generator of any length. Raises `django.db.Error` if a row does not fit; then no row is stored.
    """
    quote = connection.ops.quote_name
    body = _copy_rows if connection.vendor == "postgresql" else _insert_rows
    return body(connection, quote(table), [quote(name) for name in columns], rows)


def _copy_rows(connection: Any, table: str, columns: list[str], rows: Iterable[Sequence[Any]]) -> int:
    """Binary COPY costs client and server half as much as text, but needs the exact types of the columns."""
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


def _insert_rows(connection: Any, table: str, columns: list[str], rows: Iterable[Sequence[Any]]) -> int:
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    stream, count = iter(rows), 0
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        while batch := list(islice(stream, SLICE)):
            cursor.executemany(statement, batch)
            count += len(batch)
    return count


def in_slices(values: Sequence[Value], size: int) -> Iterator[Sequence[Value]]:
    """The values in pieces of at most `size`, as many as one statement may name."""
    return (values[start : start + size] for start in range(0, len(values), size))

"""Running raw SQL on the default connection, and the few statements that only need the name of a table.

Values are always parameters. Names of tables and columns go into the text of a statement; they must be constants of
ours, never anything a person or a vendor wrote. Ruff's S608 looks at a statement where it is put together and cannot
tell the two apart, so a module that writes several such statements is exempt as a whole, with that reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django.db.models.sql import Query

QUERY_CANCELED = "57014"


def is_postgresql() -> bool:
    """Whether the database is PostgreSQL; otherwise it is SQLite."""
    return connection.vendor == "postgresql"


def execute(statement: str, values: Sequence[Any] | None = None) -> int:
    """Run one statement and return how many rows it touched. Without `values`, a % is just a %."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def fetch_rows(statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one query and return all its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def fetch_row(statement: str, values: Sequence[Any] | None = None) -> tuple[Any, ...]:
    """Run one query that gives exactly one row, and return it. Raises ValueError for any other number of rows."""
    (row,) = fetch_rows(statement, values)
    return row


def count_rows(table: str) -> int:
    """How many rows the table has."""
    return int(fetch_row(f"SELECT count(*) FROM {table}")[0])  # noqa: S608 - a name of ours


def drop_table(*tables: str) -> None:
    """Drop the tables that are there: in one statement where the database takes more than one."""
    for named in [", ".join(tables)] if is_postgresql() else tables:
        execute(f"DROP TABLE IF EXISTS {named}")


def database_now() -> datetime:
    """The moment by the database's clock, which all processes share."""
    expression, values = Query(None).get_compiler(connection=connection).compile(Now())
    return as_moment(fetch_row(f"SELECT {expression}", values)[0])  # noqa: S608 - made by Django


def as_moment(value: datetime | str) -> datetime:
    """A moment as the driver gives it: SQLite's is a text, in UTC."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


def analyze(table: str, *columns: str) -> None:
    """Tell PostgreSQL's planner about rows it does not know yet, in these columns or in all. SQLite needs nothing."""
    if is_postgresql():
        execute(f"ANALYZE {table} ({', '.join(columns)})" if columns else f"ANALYZE {table}")


class TooLong(Exception):
    """A question was given up because its time was over."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Questions to the database that may take so long and are then given up, with `TooLong`. They only read."""
    if is_postgresql():
        with _statement_timeout(seconds):
            yield
    else:
        with _stopped_at(time.monotonic() + seconds):
            yield


@contextmanager
def _statement_timeout(seconds: float) -> Iterator[None]:
    allowed = "SELECT set_config('statement_timeout', %s, true)"
    try:
        with transaction.atomic():
            (before,) = fetch_row("SELECT current_setting('statement_timeout')")
            execute(allowed, [f"{max(int(seconds * 1000), 1)}ms"])
            yield
            execute(allowed, [before])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != QUERY_CANCELED:
            raise
        raise TooLong from error


@contextmanager
def _stopped_at(end: float) -> Iterator[None]:
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: time.monotonic() > end, 1000)
    try:
        yield
    except OperationalError as error:
        if "interrupted" not in str(error):
            raise
        raise TooLong from error
    finally:
        connection.connection.set_progress_handler(None, 0)

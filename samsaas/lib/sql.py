"""Running raw SQL on the default connection, and the few statements that only need the name of a table.

Values are always parameters. Names of tables and columns go into the text of a statement; they must be constants of
ours, never anything a person or a vendor wrote. Ruff's S608 looks at a statement where it is put together and cannot
tell the two apart, so a module that writes several such statements is exempt as a whole, with that reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django.db.models.sql import Query

QUERY_CANCELED = "57014"
# For PostgreSQL's planner: find the first rows along an index, one after the other, instead of preparing for all rows.
WALK = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_sort": "off"}


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


def has_more_rows(table: str, number: int) -> bool:
    """Whether the table has more rows than this. PostgreSQL says what it found when it last looked."""
    if is_postgresql():
        return float(fetch_row("SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [table])[0]) > number
    return count_rows(table) > number


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


@dataclass(frozen=True)
class Expected:
    """What PostgreSQL's planner expects of a question: its cost in the planner's own unit, and its rows."""

    cost: float
    rows: int


class _Planned(Exception):
    """A statement was planned, and not carried out."""


def expect(ask: Callable[[], object]) -> Expected | None:
    """Plan the first statement of `ask`, which is not carried out. None on SQLite, which expects nothing."""
    if not is_postgresql():
        return None
    try:
        with connection.execute_wrapper(_plan):
            ask()
    except _Planned as planned:
        (plan,) = planned.args
        return Expected(plan["Total Cost"], plan["Plan Rows"])
    return None


def _plan(execute: Callable[..., Any], statement: str, values: Any, many: bool, context: dict[str, Any]) -> None:
    execute(f"EXPLAIN (FORMAT JSON) {statement}", values, many, context)
    (answer,) = context["cursor"].fetchone()
    raise _Planned((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])


class TooLong(Exception):
    """A question was given up because its time was over."""


@contextmanager
def at_most(seconds: float, *, walk: bool = False) -> Iterator[None]:
    """Questions to the database that may take so long and are then given up, with `TooLong`. They only read.

    With `walk`, the first rows in the order of an index are found by walking along it: soon, unless they are rare.
    """
    if is_postgresql():
        limit = {"statement_timeout": f"{max(int(seconds * 1000), 1)}ms"}
        with _configured(limit | (WALK if walk else {})):
            yield
    else:
        with _stopped_at(time.monotonic() + seconds):
            yield


@contextmanager
def _configured(settings: dict[str, str]) -> Iterator[None]:
    """Settings of PostgreSQL for some questions, and as they were afterwards. An error brings them back by itself."""
    asked = f"SELECT {', '.join(['current_setting(%s)'] * len(settings))}"
    try:
        with transaction.atomic():
            before = dict(zip(settings, fetch_row(asked, list(settings)), strict=True))
            _configure(settings)
            yield
            _configure(before)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != QUERY_CANCELED:
            raise
        raise TooLong from error


def _configure(settings: dict[str, str]) -> None:
    statement = f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(settings))}"
    execute(statement, [text for pair in settings.items() for text in pair])


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

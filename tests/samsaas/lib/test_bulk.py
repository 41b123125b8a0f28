"""Bulk loading of rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from samsaas.lib import bulk

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture
def table() -> Iterator[str]:
    moment = "timestamptz" if connection.vendor == "postgresql" else "datetime"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE bulk_rows (number integer, "order" varchar(20) NOT NULL, yes bool, at {moment})')
    return "bulk_rows"


def stored() -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute('SELECT number, "order", yes FROM bulk_rows ORDER BY number')
        return cursor.fetchall()


def test_rows_arrive_as_they_are_whatever_their_text_holds(table):
    hostile = ["plain", "tab\tline\nback\\slash", "\\N", "'; --", "äöü 🧍", "", 'quo"te', "%s"]

    rows = ((number, text, number % 2 == 0) for number, text in enumerate(hostile))
    count = bulk.load(connection, table, ["number", "order", "yes"], rows)

    assert count == len(hostile)
    assert stored() == [(n, t, n % 2 == 0) for n, t in enumerate(hostile)]


def test_times_and_nothing_are_kept(table):
    moment = connection.ops.adapt_datetimefield_value(MOMENT)
    bulk.load(connection, table, ["number", "order", "at"], [(1, "a", moment), (2, "b", None)])

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bulk_rows WHERE at = %s", [moment])
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT count(*) FROM bulk_rows WHERE at IS NULL")
        assert cursor.fetchone() == (1,)


def test_no_rows_are_no_error(table):
    assert bulk.load(connection, table, ["number", "order"], iter(())) == 0


def test_a_row_that_does_not_fit_undoes_the_whole_call(table):
    rows = [(n, f"row {n}") for n in range(bulk.SLICE + 5)] + [(1, None)]

    with pytest.raises(DatabaseError), transaction.atomic():
        bulk.load(connection, table, ["number", "order"], rows)

    assert stored() == []


def test_a_generator_that_fails_undoes_the_whole_call(table):
    def rows() -> Iterator[tuple]:
        yield (1, "a")
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"), transaction.atomic():
        bulk.load(connection, table, ["number", "order"], rows())

    assert stored() == []


def test_memory_does_not_grow_with_the_rows(table):
    def peak(count: int) -> int:
        tracemalloc.start()
        assert bulk.load(connection, table, ["number", "order"], ((n, f"row {n}") for n in range(count))) == count
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(2000)
    assert peak(20_000) < 2 * peak(4000)

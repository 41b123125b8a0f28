"""Raw statements: what each helper returns, and that values are parameters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from samsaas.lib import sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> Iterator[str]:
    sql.execute("CREATE TEMPORARY TABLE sql_words (word text)")
    yield "sql_words"
    sql.drop_table("sql_words")


def test_a_statement_returns_how_many_rows_it_touched(table: str) -> None:
    assert sql.execute(f"INSERT INTO {table} VALUES (%s), (%s)", ["one", "'; DROP TABLE sql_words; --"]) == 2
    assert sql.execute(f"DELETE FROM {table} WHERE word = %s", ["one"]) == 1
    assert sql.count_rows(table) == 1


def test_a_percent_sign_needs_no_escape_where_there_are_no_values(table: str) -> None:
    sql.execute(f"INSERT INTO {table} VALUES (%s), (%s)", ["100%", "none"])
    assert sql.fetch_rows(f"SELECT word FROM {table} WHERE word LIKE '100%'") == [("100%",)]


def test_one_row_is_exactly_one(table: str) -> None:
    sql.analyze(table, "word")
    with pytest.raises(ValueError):
        sql.fetch_row(f"SELECT word FROM {table}")
    sql.execute(f"INSERT INTO {table} VALUES (%s)", ["alone"])
    assert sql.fetch_row(f"SELECT word FROM {table}") == ("alone",)


def test_a_table_that_is_not_there_may_be_dropped() -> None:
    sql.drop_table("sql_of_nobody")

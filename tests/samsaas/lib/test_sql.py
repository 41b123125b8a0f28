"""Raw statements: what each helper returns, and that values are parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, transaction

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


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n"


def test_a_question_that_takes_too_long_is_given_up_and_the_next_one_is_not(table: str) -> None:
    with pytest.raises(sql.TooLong), sql.at_most(0.05):
        sql.fetch_row(ENDLESS)
    with sql.at_most(20):
        assert sql.count_rows(table) == 0
    assert sql.fetch_row("SELECT 1") == (1,)


def test_another_fault_of_a_question_stays_what_it_is() -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), sql.at_most(20):
        sql.fetch_row("SELECT nothing FROM nowhere")


def test_whoever_walks_along_an_index_leaves_the_planner_as_it_was(table: str) -> None:
    names = ("enable_hashjoin", "enable_sort", "statement_timeout")

    def planner() -> tuple[Any, ...]:
        asked = ", ".join(f"current_setting('{name}')" for name in names)
        return sql.fetch_row(f"SELECT {asked}") if sql.is_postgresql() else ("on", "on", "0")

    with sql.at_most(20, walk=True):
        assert sql.count_rows(table) == 0
        assert planner() == ("off", "off", "20s") or not sql.is_postgresql()
    assert planner() == ("on", "on", "0")
    with pytest.raises(sql.TooLong), sql.at_most(0.05, walk=True):
        sql.fetch_row(ENDLESS)
    assert planner() == ("on", "on", "0")


def test_what_is_planned_is_not_carried_out(table: str) -> None:
    sql.execute(f"INSERT INTO {table} SELECT 'one'")
    sql.analyze(table)
    expected = sql.expect(lambda: sql.execute(f"DELETE FROM {table}"))
    if sql.is_postgresql():
        assert expected is not None and expected.cost > 0
        read = sql.expect(lambda: sql.fetch_rows(f"SELECT word FROM {table}"))
        assert read is not None and read.rows == 1
        assert sql.count_rows(table) == 1
    assert sql.is_postgresql() or expected is None


def test_a_table_knows_about_how_many_rows_it_has(table: str) -> None:
    sql.execute(f"INSERT INTO {table} VALUES ('one'), ('two')")
    sql.analyze(table)
    assert sql.has_more_rows(table, 1) and not sql.has_more_rows(table, 2)

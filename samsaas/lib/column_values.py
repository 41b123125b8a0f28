"""The distinct values of a column as choices of a filter, as fast for a million rows as for ten.

DISTINCT reads every row. This query uses the column's index to jump from each value to the next greater one.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Model


def choices(model: type[Model], column: str, *, most: int) -> list[tuple[str, str]]:
    """The first `most` non-empty values in order; value and label are the same. An index must begin with `column`."""
    table, name = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(column)
    statement = f"""
        WITH RECURSIVE held(value) AS (
            SELECT MIN({name}) FROM {table} WHERE {name} > ''
            UNION ALL
            SELECT (SELECT MIN({name}) FROM {table} WHERE {name} > held.value) FROM held WHERE held.value IS NOT NULL
        )
        SELECT value FROM held WHERE value IS NOT NULL LIMIT %s
        """  # noqa: S608 - quoted names of our own model
    with connection.cursor() as cursor:
        cursor.execute(statement, [most])
        return [(value, value) for (value,) in cursor.fetchall()]

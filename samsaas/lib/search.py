"""Finding rows by a piece of text in any of several columns.

On PostgreSQL it uses a trigram index. Every set of columns has its own index, made in a migration over the expression
of `Together`: GIN of UPPER((chr(10) || a || chr(10) || b)::text) with gin_trgm_ops.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Func, Q, QuerySet, TextField

SHORTEST_ANYWHERE = 3  # letters; a trigram index finds shorter text only at the beginning of a word

Rows = TypeVar("Rows", bound=QuerySet[Any])


class Together(Func):
    """Several columns as one text, each on its own line after an empty first line. No column may be NULL."""

    template = "(chr(10) || %(expressions)s)"
    arg_joiner = " || chr(10) || "
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        return self.as_sql(
            compiler, connection, template="(char(10) || %(expressions)s)", arg_joiner=" || char(10) || ", **context
        )


def begins_words(text: str) -> bool:
    """Whether the text is so short that only beginnings of words are searched.

    Punctuation and other scripts are searched anywhere: two characters may be a whole name.
    """
    return 0 < len(text) < SHORTEST_ANYWHERE and text.isascii() and text.isalnum()


def find(rows: Rows, text: str, *columns: str, or_else: Q | None = None) -> Rows:
    """The rows with the text in one of the columns, in any case, and the rows that meet `or_else`."""
    if begins_words(text):
        held = Q(_searched__icontains=f"\n{text}") | Q(_searched__icontains=f" {text}")
    else:
        held = Q(_searched__icontains=text)
    return rows.alias(_searched=Together(*columns)).filter(held | or_else if or_else else held)

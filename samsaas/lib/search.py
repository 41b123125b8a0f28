"""Finding rows by pieces of text in any of several columns, without regard to accents, capitals, and order of words.

On PostgreSQL it uses a trigram index. Every set of columns has its own index over the folded expression of `Together`,
made in a migration called `folded_search`.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar

from django.db.models import Func, Q, QuerySet, TextField

from samsaas.lib.fold import Fold, fold

SHORTEST_ANYWHERE = 3  # letters; a trigram index finds shorter text only at the beginning of a word
MOST_WORDS = 8  # further ones are left out
BEFORE_WORDS = ("\n", " ", "-")  # what stands before a word in a column
BETWEEN_WORDS = re.compile(r"[\s,;]+")

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
    plain = fold(text) or ""
    return 0 < len(plain) < SHORTEST_ANYWHERE and plain.isascii() and plain.isalnum()


def find(rows: Rows, text: str, *columns: str, or_else: Q | None = None) -> Rows:
    """The rows that have every word of the text in one of the columns, and the rows that meet `or_else`.

    Short words begin a word there. Where all of them are short, they also have to stand as they were typed: an index
    finds nothing shorter than three letters.
    """
    held = reduce(and_, map(_holds, _pieces(text)))
    return rows.alias(_searched=Fold(Together(*columns))).filter(held | or_else if or_else else held)


def _holds(piece: str) -> Q:
    if begins_words(piece):
        return reduce(or_, (Q(_searched__holds=f"{before}{piece}") for before in BEFORE_WORDS))
    return Q(_searched__holds=piece)


def _pieces(text: str) -> list[str]:
    words = [word for word in BETWEEN_WORDS.split(text) if word][:MOST_WORDS]
    plain = [fold(word) or "" for word in words]
    return words if any(len(word) >= SHORTEST_ANYWHERE or not word.isascii() for word in plain) else [text]

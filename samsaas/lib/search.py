"""Finding rows by pieces of text in any of several columns, without regard to accents, capitals, and order of words.

On PostgreSQL it uses a trigram index. Every set of columns has its own index, made in a migration over the expression
of `Together`: `index_of` says how.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any, TypeVar

from django.db.models import Func, Q, QuerySet, TextField

from samsaas.lib.fold import NAME, Fold, fold

SHORTEST_ANYWHERE = 3  # letters; a trigram index finds shorter text only at the beginning of a word
MOST_WORDS = 8  # further ones are left out
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


def index_of(table: str, name: str, columns: Sequence[str]) -> str:
    """The statement for a migration that makes the index of a search over these columns."""
    together = " || chr(10) || ".join(f'"{column}"' for column in columns)
    return f'CREATE INDEX "{name}" ON "{table}" USING gin ({NAME}(chr(10) || {together}) gin_trgm_ops)'


def begins_words(text: str) -> bool:
    """Whether the text is so short that only beginnings of words are searched.

    Punctuation and other scripts are searched anywhere: two characters may be a whole name.
    """
    plain = fold(text) or ""
    return 0 < len(plain) < SHORTEST_ANYWHERE and plain.isascii() and plain.isalnum()


def find(rows: Rows, text: str, *columns: str, or_else: Q | None = None) -> Rows:
    """The rows that have every word of the text in one of the columns, and the rows that meet `or_else`.

    Where all words are short, they have to stand as they were typed: an index finds nothing shorter than three letters.
    """
    if begins_words(text):
        held = Q(_searched__holds=f"\n{text}") | Q(_searched__holds=f" {text}")
    else:
        held = reduce(and_, (Q(_searched__holds=piece) for piece in _pieces(text)))
    return rows.alias(_searched=Fold(Together(*columns))).filter(held | or_else if or_else else held)


def _pieces(text: str) -> list[str]:
    words = [word for word in BETWEEN_WORDS.split(text) if word][:MOST_WORDS]
    plain = [fold(word) or "" for word in words]
    return words if any(len(word) >= SHORTEST_ANYWHERE or not word.isascii() for word in plain) else [text]

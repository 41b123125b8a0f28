"""Finding rows by pieces of text in any of several columns, without regard to accents, capitals, and order of words.

Every search of a list, of Core UI and of the one search for everything goes through `find`, or through `is_in` where
the texts are no rows. On PostgreSQL it uses a trigram index for what can be long: every such set of columns has its own
index over the folded expression of `Together`, made in a migration called `folded_search`.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar, cast

from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce

from samsaas.lib.fold import Fold, fold

SHORTEST_ANYWHERE = 3  # letters; a trigram index finds shorter text only at the beginning of a word
# Scripts of East Asia, of which one or two characters may be a whole name; Hangul as it is taken apart.
EAST_ASIAN = re.compile("[\u1100-\u11ff\u2e80-\uffef\U0001b000-\U0003ffff]")
# Characters that have no other form, so the column is read as it is: to fold every text first takes 15 times as long.
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{1,2}")
MOST_WORDS = 8  # further ones are left out
BEFORE_WORDS = ("\n", " ", "-")  # what stands before a word in a column
BETWEEN_WORDS = re.compile(r"[\s,;]+")
MOST_DIGITS = 18  # of a number that is looked up; more do not fit into a key

Rows = TypeVar("Rows", bound=QuerySet[Any])


class Together(Func):
    """Several columns as one text, each on its own line after an empty first line.

    A column of a related row, which may not be there, counts as empty. No other column may be NULL.
    """

    template = "(chr(10) || %(expressions)s)"
    arg_joiner = " || chr(10) || "
    output_field = TextField()

    def __init__(self, *columns: str) -> None:
        super().__init__(*(Coalesce(column, Value("")) if "__" in column else F(column) for column in columns))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        return self.as_sql(
            compiler, connection, template="(char(10) || %(expressions)s)", arg_joiner=" || char(10) || ", **context
        )


def begins_words(text: str) -> bool:
    """Whether the text is so short that only beginnings of words are searched.

    Punctuation and East Asian characters are searched anywhere.
    """
    plain = fold(text) or ""
    return 0 < len(plain) < SHORTEST_ANYWHERE and plain.isalnum() and not EAST_ASIAN.search(plain)


def find(rows: Rows, text: str, *columns: str, or_else: Q | None = None) -> Rows:
    """The rows that have every word of the text in one of the columns, and the rows that meet `or_else`.

    Short words begin a word there. Where all of them are short, they also have to stand as they were typed: an index
    finds nothing shorter than three letters.
    """
    held = reduce(and_, map(_holds, _pieces(text)))
    if not columns:
        return rows.filter(or_else) if or_else else cast("Rows", rows.none())
    together = Together(*columns)
    return rows.alias(_stored=together, _searched=Fold(together)).filter(held | or_else if or_else else held)


def is_in(text: str, *texts: str) -> bool:
    """Whether every word of the text is in one of the texts, as `find` has it of the columns of a row."""
    searched = fold("\n" + "\n".join(texts)) or ""
    return all(any((fold(one) or "") in searched for one in _written(piece)) for piece in _pieces(text))


def numbered(text: str, prefix: str, column: str = "pk") -> Q | None:
    """The row whose number the text is, with or without what stands before it; None if it is no number."""
    number = text.strip().upper().removeprefix(prefix)
    is_number = number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
    return Q(**{column: int(number)}) if is_number else None


def _written(piece: str) -> list[str]:
    """What has to be found for a piece: the piece, or one of the ways to begin a word with it."""
    return [f"{before}{piece}" for before in BEFORE_WORDS] if begins_words(piece) else [piece]


def _holds(piece: str) -> Q:
    if HAN.fullmatch(piece):
        return Q(_stored__contains=piece)
    return reduce(or_, (Q(_searched__holds=one) for one in _written(piece)))


def _pieces(text: str) -> list[str]:
    words = [word for word in BETWEEN_WORDS.split(text) if word][:MOST_WORDS]
    plain = [fold(word) or "" for word in words]
    return words if any(len(word) >= SHORTEST_ANYWHERE or not word.isascii() for word in plain) else [text]

"""The form in which texts are searched: accents, capitals and ways of writing a letter make no difference.

The same form twice, since each database has to make it from its rows: `fold` for SQLite, where every connection learns
it as a function, and a function of PostgreSQL, which the migration `folded_search` of `samsaas` creates and trigram
indexes are made over. A change here needs a migration with the function in its new form and its indexes made anew; a
test compares every letter of both. A text is never stored or matched in this form: it is for finding only.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import models

NAME = "samsaas_fold"
MARKS = re.compile("[\u0300-\u036f]")  # what is left of an accent when the letter is taken apart
# Letters of one kind that are no letter with an accent, and signs that are typed one for another.
SINGLE = {
    **{"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n", "ı": "i", "ς": "σ"},
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
GRAVE, ACUTE = "`", "\u00b4"  # typed for an apostrophe; the second would be taken apart into a blank and an accent
DOUBLE = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
LETTERS = str.maketrans({**SINGLE, **DOUBLE})


def fold(text: str | None) -> str | None:
    """The searched form of a text. It keeps blanks and line ends. None stays None."""
    if text is None:
        return None
    text = text.replace(GRAVE, "'").replace(ACUTE, "'")
    if text.isascii():
        return text.lower()
    return MARKS.sub("", unicodedata.normalize("NFKD", text)).lower().translate(LETTERS)


def teach(connection: Any, **kwargs: Any) -> None:
    """Let a new connection to SQLite know the function. PostgreSQL has its own."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(NAME, 1, fold, deterministic=True)


class Folded(models.TextField):
    """The searched form of a text, as the result of an expression. `holds` looks for a piece of text in it."""


class Fold(models.Func):
    """The searched form of an expression."""

    function = NAME
    arity = 1
    output_field = Folded()


@Folded.register_lookup
class Holds(models.Lookup):
    """Whether the folded text holds a piece, which the database folds as well. A trigram index serves it."""

    lookup_name = "holds"

    def get_prep_lookup(self) -> str:
        return str(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        where, values = self.process_lhs(compiler, connection)
        piece = re.sub(r"([\\%_])", r"\\\1", self.rhs)
        return f"{where} LIKE '%%' || {NAME}(%s) || '%%'", (*values, piece)

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        where, values = self.process_lhs(compiler, connection)
        return f"instr({where}, {NAME}(%s)) > 0", (*values, self.rhs)

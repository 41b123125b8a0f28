"""One form for texts that mean the same: as they are stored, as identifiers are compared, and as names are compared.

Systems write the same word in several ways: *ö* as one character or as *o* with a mark, blanks that do not break,
typographic apostrophes, capitals. Every comparison of such texts goes through a form of this module, in Python, because
the databases disagree: lower('Ä') is 'Ä' for SQLite, and upper('ı') is 'I' for PostgreSQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models

# Every blank but line ends, which are no part of a text on one line.
BLANKS = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# They show nothing and mean nothing: soft hyphen, zero-width space, word joiner, byte order mark.
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4`\uff07]")
HYPHENS = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
Row = TypeVar("Row", bound=models.Model)
UNREAD = "\ufffd"  # stands for what could not be read of a text
KELVIN = "\u212a"  # the only letter outside ASCII that a canonical composition turns into an ASCII letter


def clean_text(text: str) -> str:
    """A text as it is stored: composed (NFC), without blanks around it, double blanks or invisible characters."""
    return _compose(text if text.isascii() else INVISIBLE.sub("", text))


def normalize_identifier(text: str) -> str:
    """An e-mail address, account or employee number as it is compared: composed, in lower case, trimmed.

    No letter is taken for another one: `ı` is not `i`, `ﬁ` is not `fi`, `ß` is not `ss`, the Kelvin sign is not `k`.
    A wrong match could cost the wrong person a seat. `loosen_identifier` is for hints only.
    """
    text = text.strip()
    if text.isascii():
        return _compose(text).lower()
    return KELVIN.join(unicodedata.normalize("NFC", _compose(part).lower()) for part in text.split(KELVIN))


def normalize_foreign(text: str) -> str:
    """An identifier of another system as it is compared. One that was not read whole is equal to nothing: empty."""
    return "" if UNREAD in text else normalize_identifier(text)


def _compose(text: str) -> str:
    if text.isascii() and "  " not in text and "\t" not in text:
        return text.strip(" ")
    return BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def loosen_identifier(text: str) -> str:
    """An identifier with compatible letters taken for one another (NFKC, casefold). For a hint, never for a match."""
    return unicodedata.normalize("NFKC", normalize_identifier(text)).casefold()


def normalize_name(name: str) -> str:
    """A name as it is compared: without regard to case, composition, blanks and kinds of apostrophes and hyphens.

    “Surname, Given” is turned round. Accents count: Zoë is not Zoe. A dotless ı stays one.
    """
    marks = HYPHENS.sub("-", APOSTROPHES.sub("'", name))
    plain = clean_text(unicodedata.normalize("NFKC", marks))
    surname, comma, given = plain.partition(",")
    turned = f"{given} {surname}" if comma else plain
    return " ".join(unicodedata.normalize("NFC", turned.casefold()).split())


class ComparedField(models.CharField):
    """A column with the compared form of another column. It is filled whenever the record is saved.

    `ComparedQuerySet.update` fills it as well. Raw SQL and `bulk_update` do not: whoever writes the other column that
    way writes this one, too.
    """

    def __init__(self, source: str = "", form: Callable[[str], str] | None = None, **options: Any) -> None:
        self.source, self.form = source, form
        super().__init__(**{"editable": False, "blank": True, "default": "", **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.form_of(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value

    def form_of(self, text: str) -> str:
        """The compared form of a text of the other column, no longer than this column takes."""
        return self.form(text)[: self.max_length] if self.form else text

    def deconstruct(self) -> Any:
        """For migrations it is a text column: how it is filled is no matter of the database."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


class ComparedQuerySet(models.QuerySet[Row]):
    """Rows whose compared columns follow an `update` of the columns they belong to."""

    def update(self, **values: Any) -> int:
        """As in Django, and with the compared forms of the texts among the values."""
        for field in self.model._meta.concrete_fields:
            if isinstance(field, ComparedField) and isinstance(values.get(field.source), str):
                values.setdefault(field.attname, field.form_of(values[field.source]))
        return super().update(**values)


def form_of_column(model: type[models.Model], column: str) -> Callable[[str], str]:
    """How a model's `ComparedField` is filled, for code that writes it without saving records."""
    field = model._meta.get_field(column)
    if not isinstance(field, ComparedField):
        raise TypeError(f"{column} is no column that is compared.")
    return field.form_of

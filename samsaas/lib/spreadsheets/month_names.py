"""Months by their names, in the languages in which files come."""

from __future__ import annotations

from functools import cache

from babel import Locale

from samsaas.lib.spreadsheets.sheet import fold_heading

LANGUAGES = ("en", "de", "fr", "es")


def find(name: str) -> int | None:
    """The number of a month, by its name or a usual abbreviation of it, without regard to case and accents."""
    return _numbers().get(fold_heading(name))


@cache
def _numbers() -> dict[str, int]:
    names = (Locale(language).months["format"][width] for language in LANGUAGES for width in ("wide", "abbreviated"))
    numbers = {fold_heading(name): number for months in names for number, name in months.items()}
    return {**numbers, "mrz": 3, "sept": 9}

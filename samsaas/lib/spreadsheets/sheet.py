"""What was read of a file: its headings, its rows, and what their cells can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

# The columns that our own files of refused lines add. A file that has both was written by `csv_export`.
OWN_COLUMNS = ("line", "problem")
E_MAIL = re.compile(r"\be mail")
NO_LETTERS = re.compile(r"[\W_]+")
MOST_EMPTY = 1000  # lines before the header
Cell = Any  # text; from a workbook also a number, a day, a moment, a truth value, `Formula` or `CellError`


class Unreadable(Exception):
    """The file as a whole cannot be read. The message says why, where, and what to do."""


@dataclass(frozen=True)
class Formula:
    """A cell that computes its value. We read what people write, not what a program would make of it."""

    text: str


@dataclass(frozen=True)
class CellError:
    """A cell that shows an error of its program, such as #REF!."""

    text: str


@dataclass(frozen=True)
class SheetLimits:
    """How much of a file is read. More of it makes the file unreadable."""

    rows: int
    columns: int = 100


@dataclass(frozen=True)
class Row:
    """One row: the number of its line, one cell for each heading, and a problem of its shape, if there is one.

    A row with too few cells `is_short`: spreadsheets leave out empty cells at its end. `surplus` are cells beyond the
    last heading.
    """

    line: int
    cells: Sequence[Cell]
    problem: str = ""
    is_short: bool = False
    surplus: Sequence[Cell] = ()

    @property
    def misfit(self) -> str:
        """The problem of its shape, for a reader to whom missing cells at the end are empty ones."""
        return "" if self.is_short else self.problem


@dataclass(frozen=True)
class Sheet:
    """A table with headings. Reading its `rows` may raise `Unreadable`.

    `name` and `names` are those of the sheets of a workbook. `is_own` says that the file is one of our files of refused
    lines.
    """

    headings: list[str]
    rows: Iterator[Row]
    name: str = ""
    names: list[str] = field(default_factory=list)
    is_own: bool = False

    @property
    def records(self) -> Iterator[Row]:
        """The rows that say anything: no lines of dashes, and not the headings once more, as pages repeat them."""
        headings = [simplify_heading(heading) for heading in self.headings]
        return (row for row in self.rows if _says_something(row) and not _repeats(row, headings))


def _says_something(row: Row) -> bool:
    return any(letter.isalnum() for cell in row.cells for letter in str(cell))


def _repeats(row: Row, headings: list[str]) -> bool:
    """Whether a row is the headings once more. One column is a list of words, and may hold its own heading."""
    cells = zip(row.cells, headings, strict=False)
    return len(row.cells) > 1 and all(simplify_heading(str(cell)) == heading for cell, heading in cells)


Known = Callable[[str], bool]  # whether a heading, as `simplify_heading` writes it, is one that the reader knows


def simplify_heading(text: str) -> str:
    """A heading as headings are compared: without regard to case and blanks."""
    return " ".join(text.lower().split())


def fold_heading(text: str) -> str:
    """A heading as those of other programs are compared: letters without accents, and digits. “E-Mail” is “email”."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return E_MAIL.sub("email", " ".join(NO_LETTERS.split(plain)).strip())


def printable_heading(text: str) -> str:
    """A heading as it can be shown."""
    return "".join(letter for letter in text.strip() if letter.isprintable())[:60]


def is_own_file(headings: Sequence[str]) -> bool:
    """Whether these are the headings of a file of refused lines."""
    return set(OWN_COLUMNS) <= {simplify_heading(heading) for heading in headings}

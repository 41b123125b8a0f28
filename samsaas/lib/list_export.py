"""Every list as a file: the rows of its filters in its order, and the columns that the person sees.

`?export=csv` or `?export=xlsx` at the address of a list asks for it. `tables.listing` then raises `ExportAsked` instead
of making a page, so that a file has the list's own rows, permission and joins, and no view has to know about files. The
middleware of `samsaas.list_exports` answers.

What a cell says in a file: `value_NAME(record)` of the table where there is one; the value itself where the cell is
only that, or where it is a number or a date; otherwise the words of the cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import unescape
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django_tables2 import A
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow

from samsaas.lib.columns import context_of_cells
from samsaas.lib.list_choices import is_tick
from samsaas.lib.sight import seen_by

PARAMETER = "export"
CSV, XLSX = "csv", "xlsx"
MOST_AT_ONCE = 50_000  # lines of a workbook that somebody waits for; a job writes more, but not with limited sight
ROWS_AT_ONCE = 2000
BARE_VALUE = re.compile(r"(<\w[^>]*>)?\{\{ value(\|\w+)? \}\}(</\w+>)?")
BEGINS_LINE = re.compile(r'<(span class="sub\b|div|br|li)')
DOT = " · "


@dataclass(frozen=True)
class ListExport:
    """A list that was asked for as a file. `every` has the joins of its rows where only those of a page get them."""

    kind: str
    table: Any
    every: QuerySet[Any] | None
    is_misread: bool = False  # a filter of the address cannot be used, so other rows would be in the file

    @property
    def rows(self) -> QuerySet[Any]:
        return self.table.data.data

    @property
    def name(self) -> str:
        return self.table.caption or "List"

    @property
    def header(self) -> list[str]:
        return [heading for heading, _ in self.columns]

    @property
    def columns(self) -> list[tuple[str, Callable[[Any], Any]]]:
        """The columns of the file: heading, and what gives the value of a row."""
        shown = [(str(column.header), _cell_reader(self.table, column)) for column in columns_shown(self.table)]
        return shown + [(heading, _fact_reader(path)) for heading, path in self.table.in_files]

    def lines(self) -> Iterator[list[Any]]:
        """The cells of every row, a few thousand rows in memory at a time."""
        readers = [read for _, read in self.columns]
        for row in self._described_rows():
            yield [read(row) for read in readers]

    def _described_rows(self) -> Iterator[Any]:
        related = {path.rpartition("__")[0] for _, path in self.table.in_files if "__" in path}
        every = self.rows if self.every is None else self.every
        every = every.select_related(*related) if related else every
        if self.every is None:
            yield from every.iterator(chunk_size=ROWS_AT_ONCE)
            return
        keys = self.rows.values_list("pk", flat=True).iterator(chunk_size=ROWS_AT_ONCE)
        while some := list(islice(keys, ROWS_AT_ONCE)):
            found = {row.pk: row for row in every.filter(pk__in=some)}
            yield from (found[key] for key in some if key in found)


class ExportAsked(Exception):
    """Not an error: the list was asked for as a file. The middleware of `samsaas.list_exports` answers with it."""

    def __init__(self, export: ListExport) -> None:
        super().__init__(export.name)
        self.export = export


def asked_kind(request: HttpRequest) -> str:
    """The kind of file that the address asks for, or empty."""
    kind = request.GET.get(PARAMETER, "") if request.method == "GET" else ""
    return kind if kind in (CSV, XLSX) else ""


def columns_shown(table: Any) -> list[BoundColumn]:
    """The columns that the person sees, without tick boxes and buttons."""
    return [one for one in table.columns if not is_tick(one.column) and not one.column.exclude_from_export]


def offer_kinds(request: HttpRequest) -> list[tuple[str, str]]:
    """The files of a list as it is shown: label and address."""
    query = request.GET.copy()
    for gone in ("page", "per_page", "selection", PARAMETER):
        query.pop(gone, None)
    made = []
    workbook = "Excel (XLSX)" if seen_by(request) is None else f"Excel (XLSX), up to {MOST_AT_ONCE:,} lines"
    for kind, label in ((XLSX, workbook), (CSV, "CSV")):
        query[PARAMETER] = kind
        made.append((label, f"{request.path}?{query.urlencode()}"))
    return made


def plain_text(markup: str) -> str:
    """The words of a cell on one line; nothing for a dash, which stands for nothing."""
    text = " ".join(unescape(strip_tags(BEGINS_LINE.sub("\0\\g<0>", markup))).split())
    pieces = [piece.strip() for piece in text.split("\0")]
    return DOT.join(piece for piece in pieces if piece not in ("", "–"))


def _cell_reader(table: Any, column: BoundColumn) -> Callable[[Any], Any]:
    given, markup = getattr(table, f"value_{column.name}", None), column.column
    if given:
        return given
    if getattr(markup, "needs_value", None) is None:  # a column of django-tables2, which has a way of its own
        return lambda record: _fact(BoundRow(record, table).get_cell_value(column.name))
    is_bare, context = bool(BARE_VALUE.fullmatch(markup.code)), context_of_cells()

    def read(record: Any) -> Any:
        value = column.accessor.resolve(record, quiet=True) if markup.needs_value else None
        if is_bare or (isinstance(value, date | int | float | Decimal) and not isinstance(value, bool)):
            return _fact(value)
        return plain_text(markup.write_cell(context, record, value))

    return read


def _fact_reader(path: str) -> Callable[[Any], Any]:
    accessor = A(path)
    return lambda record: _fact(accessor.resolve(record, quiet=True))


def _fact(value: Any) -> Any:
    """A value as the writers of files take it."""
    if isinstance(value, SafeString):
        return plain_text(value)
    return value if value is None or isinstance(value, date | int | float | Decimal) else str(value)

"""The columns of lists, and how the cells of a page are written. A page has hundreds, so they are most of its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import django_tables2
from django.template import Context, Template
from django.template.base import NodeList
from django.template.defaulttags import LoadNode
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow

from samsaas.lib.list_choices import is_tick

NUMBER = {"th": {"class": "num"}, "td": {"class": "num"}}
ROOMY = {"td": {"class": "roomy"}}  # wide enough for a name without a line break at every word


class MarkupColumn(django_tables2.Column):
    """A column whose cells are template code with `record`, `value` and the `ui` tags."""

    def __init__(self, code: str, **kwargs: Any) -> None:
        kwargs.setdefault("empty_values", ())
        super().__init__(**kwargs)
        self.code = code
        self.needs_value = "value" in code

    def render(self, record: Any, value: Any = None) -> str:
        return self.write_cell(context_of_cells(), record, value)

    def write_cell(self, context: Context, record: Any, value: Any = None) -> str:
        """Like `render`, with one `context_of_cells` for many of them."""
        context["record"], context["value"] = record, value
        return compile_cell(self.code).render(context)


class WrittenColumn(MarkupColumn):
    """A column whose cells are written by a function of the record, in a third of the time of template code."""

    def __init__(self, write: Callable[[Any], str], **kwargs: Any) -> None:
        super().__init__("", **kwargs)
        self.write = write

    def write_cell(self, context: Context, record: Any, value: Any = None) -> str:
        return self.write(record)


class NumberColumn(django_tables2.Column):
    """Right-aligned with thousands separators; a dash if there is no number."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", NUMBER)
        super().__init__(**kwargs)

    def render(self, value: int) -> str:
        return f"{value:,}"

    def value(self, value: int) -> int:
        return value


class NameColumn(MarkupColumn):
    """Text that somebody else chose, as `outside` of `samsaas.lib.markup` shows it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("{{ value|outside }}", **kwargs)


@lru_cache(maxsize=256)
def compile_cell(code: str) -> NodeList:
    """What a column's cells are made of, compiled once per process. What only loads tags has done so by then."""
    nodes = Template("{% load ui %}" + code).nodelist
    return NodeList(node for node in nodes if not isinstance(node, LoadNode))


def context_of_cells(**values: Any) -> Context:
    """One context for all cells of a page or a file: to enter a template takes longer than to write many a cell."""
    context = Context(values)
    context.template = context.render_context.template = Template("")
    return context


def write_rows(
    columns: Iterable[BoundColumn], rows: Iterable[BoundRow], *, has_row_links: bool, selection: Any
) -> Iterator[SafeString]:
    """The rows of a page as markup."""
    link, columns = SafeString(" data-row-link") if has_row_links else "", list(columns)
    head = next((column.name for column in columns if not is_tick(column.column)), "")
    context = context_of_cells(selection=selection)
    writers = [(_open_cell(column, head), _cell_writer(column, context)) for column in columns]
    for row in rows:
        cells = format_html_join("", "{}{}</div></td>", ((opening, write(row)) for opening, write in writers))
        yield format_html("<tr{}>{}</tr>\n", link, cells)


def one_each_line(texts: Iterable[str]) -> SafeString:
    """Texts for a cell, such as amounts of several currencies, each on a line of its own."""
    return format_html("<div>{}</div>", format_html_join("", "<div>{}</div>", ((text,) for text in texts)))


def _open_cell(column: BoundColumn, head: str) -> SafeString:
    css = filter(None, ("head" if column.name == head else "", f"col-{column.name}", column.attrs["td"]["class"]))
    return format_html('<td class="{}" data-label="{}"><div>', " ".join(css), column.header)


def _cell_writer(column: BoundColumn, context: Context) -> Callable[[BoundRow], Any]:
    """A function that writes the cells of a column. django-tables2 would inspect the column again for every cell."""
    markup, value_of = column.column, column.accessor.resolve
    if not isinstance(markup, MarkupColumn) or column.render != markup.render:
        return lambda row: row.get_cell(column.name)
    if markup.needs_value:
        return lambda row: markup.write_cell(context, row.record, value_of(row.record, quiet=True))
    return lambda row: markup.write_cell(context, row.record)

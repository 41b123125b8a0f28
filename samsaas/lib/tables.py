"""List pages: a filter form, a sorted and paged table, and chips for the active filters, all held in the URL.

Whatever the query string says is untrusted. A value that makes no sense is left out and, where the reader could be
misled, said so above the table; it never costs an error page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import django_filters
import django_tables2
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.forms import ChoiceField, ModelChoiceField
from django.http import HttpRequest
from django.template import Context, Template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow

from samsaas.lib.paging import Found, Pages
from samsaas.lib.search import begins_words

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50
LONGEST_SEARCH = 200
NUMBER = {"th": {"class": "num"}, "td": {"class": "num"}}
ROOMY = {"td": {"class": "roomy"}}  # wide enough that a name does not break at every word


@lru_cache(maxsize=256)
def compiled(code: str) -> Template:
    """Cell markup, compiled once per process instead of once per cell."""
    return Template("{% load ui %}" + code)


class MarkupColumn(django_tables2.Column):
    """A cell written as template code that sees `record` and `value`; the `ui` tags are loaded."""

    def __init__(self, code: str, **kwargs: Any) -> None:
        kwargs.setdefault("empty_values", ())
        super().__init__(**kwargs)
        self.code = code
        self.needs_value = "value" in code

    def render(self, record: Any, value: Any = None) -> str:
        return self.write(Context(), record, value)

    def write(self, context: Context, record: Any, value: Any = None) -> str:
        """As `render`, with a context that the cells of a page share."""
        context["record"], context["value"] = record, value
        return compiled(self.code).render(context)


class NumberColumn(django_tables2.Column):
    """Right-aligned, thousands separated; a dash where nothing is known."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", NUMBER)
        super().__init__(**kwargs)

    def render(self, value: int) -> str:
        return f"{value:,}"


class NameColumn(MarkupColumn):
    """Text from outside: isolated for its writing direction, control characters made visible."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("{{ value|outside }}", **kwargs)


class Table(django_tables2.Table):
    """The house table. `row_links` lets a click anywhere in a row follow its first link."""

    caption = ""
    row_links = False
    empty_text = ""
    page_sizes = PAGE_SIZES
    empty_title = "Nothing here"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # django-tables2 sets the instance's own text, which would hide the one a table class declares.
        kwargs.setdefault("empty_text", type(self).empty_text)
        super().__init__(*args, **kwargs)

    def body(self) -> Iterator[SafeString]:
        """The page's rows as markup. Written here because a template takes several times as long for 450 cells."""
        link = SafeString(" data-row-link") if self.row_links else ""
        context = Context()
        columns = [(_opening(place, column), _writer(column, context)) for place, column in enumerate(self.columns)]
        for row in self.paginated_rows:
            cells = format_html_join("", "{}{}</div></td>", ((opening, write(row)) for opening, write in columns))
            yield format_html("<tr{}>{}</tr>\n", link, cells)

    class Meta:
        order_by_field = "sort"
        per_page = DEFAULT_PAGE_SIZE


def _opening(place: int, column: BoundColumn) -> SafeString:
    css = filter(None, ("" if place else "head", f"col-{column.name}", column.attrs["td"]["class"]))
    return format_html('<td class="{}" data-label="{}"><div>', " ".join(css), column.header)


def _writer(column: BoundColumn, context: Context) -> Callable[[BoundRow], Any]:
    """What writes the column's cells. django-tables2 would find out anew for each cell how to call its column."""
    markup, value_of = column.column, column.accessor.resolve
    if not isinstance(markup, MarkupColumn) or column.render != markup.render:
        return lambda row: row.get_cell(column.name)
    if markup.needs_value:
        return lambda row: markup.write(context, row.record, value_of(row.record, quiet=True))
    return lambda row: markup.write(context, row.record)


class ListFilter(django_filters.FilterSet):
    """The house filter form. Fields are built by `search` and django-filter's own; `describe` makes the chips.

    `finds_words` says that the text is looked for by `samsaas.lib.search`, for which a short one is a beginning.
    """

    finds_words = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.form.fields.values():
            if isinstance(field, ChoiceField):  # Django's own words repeat what was asked for, however long
                field.error_messages["invalid_choice"] = "There is no such choice."

    def describe(self) -> list[tuple[str, str, str]]:
        """Parameter, label and words of every filter that narrows the list."""
        told = []
        for name, value in getattr(self.form, "cleaned_data", {}).items():
            if value not in (None, "", []):
                field = self.form.fields[name]
                told.append((name, str(field.label), worded(field, value)))
        if self.finds_words and begins_words(self.searched):
            told = [(name, label, f"begins with {text}" if name == "q" else text) for name, label, text in told]
        return told

    @property
    def searched(self) -> str:
        """The text the list is searched for, empty without one."""
        return str(getattr(self.form, "cleaned_data", {}).get("q") or "")

    def problems(self) -> list[str]:
        """What could not be used, in words for the reader."""
        return [
            f"The filter “{self.form.fields[name].label}” was left out: {' '.join(map(str, errors))}"
            for name, errors in self.form.errors.items()
            if name in self.form.fields
        ]


def worded(field: Any, value: Any) -> str:
    if isinstance(field, ChoiceField) and not isinstance(field, ModelChoiceField):
        return str(dict(field.widget.choices).get(str(value), value))
    return str(value)


def search(label: str = "Search", placeholder: str = "", **kwargs: Any) -> django_filters.CharFilter:
    """The free-text filter of a page, bounded in length; `/` puts the cursor into it."""
    attrs = {"type": "search", "search": True, "placeholder": placeholder, "data-page-filter": True}
    widget = django_filters.filters.forms.TextInput(attrs=attrs)
    return django_filters.CharFilter(label=label, max_length=LONGEST_SEARCH, widget=widget, **kwargs)


def page_size(request: HttpRequest) -> int:
    """One of the offered sizes; anything else is the usual one."""
    asked = request.GET.get("per_page", "")
    return next((size for size in PAGE_SIZES if str(size) == asked), DEFAULT_PAGE_SIZE)


def paginate(table: Table, request: HttpRequest, pages: Paginator) -> list[str]:
    """Put the table on the page the URL asks for, or the nearest one that exists. Returns what to tell the reader."""
    asked, told = request.GET.get("page", "1"), []
    table.paginator = pages
    try:
        table.page = pages.page(asked)
    except PageNotAnInteger:
        table.page = pages.page(1)
        told = ["The page number in the address is not a number, so this is the first page."]
    except EmptyPage:
        table.page = pages.page(pages.num_pages)
        told = ["The list has no such page, so this is the last one."]
    if isinstance(pages, Found) and pages.is_cut:
        told.append(f"More than {pages.count:,} rows match; these are the first in this order. Narrow the search.")
    return told


def listing(
    request: HttpRequest,
    queryset: QuerySet[Any],
    table_class: type[Table],
    filterset_class: type[ListFilter] | None = None,
    *,
    describe: Callable[[Any], QuerySet[Any]] | None = None,
    **table_options: Any,
) -> dict[str, Any]:
    """The context of a list page: `table`, `filter`, `chips`, `problems`, `clear_url` and what the form must keep.

    `describe` adds what only the rows of a page need, once they are filtered and counted.
    """
    filterset = filterset_class(request.GET, queryset=queryset, request=request) if filterset_class else None
    rows = filterset.qs if filterset else queryset
    # Not handed the request, from which django-tables2 would take any page size, negative ones too.
    table = table_class(rows, **table_options)
    table.request = request
    if asked := [alias for alias in request.GET.getlist("sort") if alias.lstrip("-") in table.columns.names()]:
        table.order_by = asked
    settle_order(table)
    every = describe(queryset) if describe else queryset
    searched, size = bool(filterset and filterset.searched), page_size(request)
    keyed = (Found if searched else Pages)(table, size, every=every) if searched or describe else None
    problems = paginate(table, request, keyed or Paginator(table.rows, size))
    return {
        "table": table,
        "filter": filterset,
        "problems": (filterset.problems() if filterset else []) + problems,
        "chips": chips(request, filterset) if filterset else [],
        "clear_url": request.path,
        "kept_parameters": [(name, request.GET[name]) for name in ("sort", "per_page") if request.GET.get(name)],
    }


def settle_order(table: Table) -> None:
    """Give rows that are equal in the sorted column an order of their own, or pages would repeat some and lose some."""
    ordering = table.data.data.query.order_by
    if ordering and not {"pk", "-pk"} & set(ordering):
        table.data.data = table.data.data.order_by(*ordering, "pk")


def chips(request: HttpRequest, filterset: ListFilter) -> list[dict[str, str]]:
    """One removable chip per active filter: its label, its words and the address without it."""
    made = []
    for name, label, text in filterset.describe():
        left = request.GET.copy()
        for gone in (name, "page"):
            left.pop(gone, None)
        made.append({"label": label, "text": text, "url": f"{request.path}?{left.urlencode()}"})
    return made

"""List pages: a filter form, a sorted and paged table, and chips for the active filters. The URL holds their state.

The query string is untrusted. A value that cannot be used is ignored, never an error page; a message above the table
says so if the reader could be misled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import django_filters
import django_tables2
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.forms import (
    BoundField,
    CheckboxSelectMultiple,
    ChoiceField,
    DateInput,
    ModelChoiceField,
    MultipleChoiceField,
    NumberInput,
)
from django.http import HttpRequest
from django.utils.safestring import SafeString

from samsaas.lib import sql
from samsaas.lib.columns import write_rows
from samsaas.lib.list_choices import NO_VIEW, SAVED, always_shown, columns_shown, list_key, read_choices
from samsaas.lib.list_export import ExportAsked, ListExport, asked_kind, offer_kinds
from samsaas.lib.paging import Pages, SearchPages, is_patient
from samsaas.lib.search import begins_words
from samsaas.lib.sight import limit_choices, limit_rows

PAGE_SIZES = (25, 50, 100)
KEPT = ("sort", "per_page", SAVED)  # what of an address is no filter, and stays when a filter changes
DEFAULT_PAGE_SIZE = 50
LONGEST_SEARCH = 200
MOST_SORTED = 100_000
MOST_SORTED_OF_MORE = 10_000  # of a table with more than `MOST_SORTED` rows, where each costs more to look up
DAY = DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
DAYS = NumberInput(attrs={"placeholder": "at least"})


class Table(django_tables2.Table):
    """The base of all tables. With `row_links` a click anywhere in a row follows its first link.

    Columns of `hidden_at_first` are shown to who chooses them. A list that `is_too_long_to_sort` is sorted by columns
    of `indexed` only, because any other order would read every row; None: by all, for lists that stay small.
    `in_files` are headings and facts of a row that an export has besides the columns shown; `value_NAME(record)` is
    what it says in the column NAME (`samsaas.lib.list_export`).
    """

    caption = ""
    in_files: tuple[tuple[str, str], ...] = ()
    hidden_at_first: tuple[str, ...] = ()
    indexed: tuple[str, ...] | None = None
    row_links = False
    empty_text = ""
    page_sizes = PAGE_SIZES
    empty_title = "Nothing here"
    selection: Any = None  # what `samsaas.lib.selection_bar` gives to a table with tick boxes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # django-tables2 would set this on the instance and so hide the text of the class.
        kwargs.setdefault("empty_text", type(self).empty_text)
        super().__init__(*args, **kwargs)

    def body(self) -> Iterator[SafeString]:
        """The rows of the page as markup."""
        rows = self.paginated_rows
        return write_rows(self.columns, rows, has_row_links=self.row_links, selection=self.selection)

    class Meta:
        order_by_field = "sort"
        per_page = DEFAULT_PAGE_SIZE


def every_table(base: type[Table] = Table) -> Iterator[type[Table]]:
    """The tables of all lists that are loaded."""
    for table_class in base.__subclasses__():
        yield table_class
        yield from every_table(table_class)


def find_table(key: str) -> type[Table] | None:
    """The table of a list by what names the list in what is stored."""
    return next((one for one in every_table() if list_key(one) == key), None)


class ListFilter(django_filters.FilterSet):
    """The base of all filter forms.

    Its rows and its choices are those of profiles that the person may see (`samsaas.lib.sight`).
    Every text search goes through `samsaas.lib.search`, which looks for a short text at beginnings of words.
    `further` are the fields that few people need; they are folded away while none of them is in use.
    """

    further: tuple[str, ...] = ()
    queryset: Any

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any = None, **kwargs: Any) -> None:
        super().__init__(data, queryset, request=request, **kwargs)
        self.queryset = limit_rows(request, self.queryset)
        self.form.label_suffix = ""
        for field in self.form.fields.values():
            if isinstance(field, ModelChoiceField):
                limit_choices(request, field)
            if isinstance(field, ChoiceField):  # Django's message repeats the value, however long
                field.error_messages["invalid_choice"] = "There is no such choice."

    def active_filters(self) -> list[tuple[str, str, str]]:
        """Parameter, label and value in words of every filter that narrows the list."""
        active = []
        for name, value in getattr(self.form, "cleaned_data", {}).items():
            if value not in (None, "", []):
                field = self.form.fields[name]
                active.append((name, str(field.label), value_in_words(field, value)))
        if begins_words(self.search_text):
            active = [(name, label, f"begins with {text}" if name == "q" else text) for name, label, text in active]
        return active

    def search_fields(self) -> list[BoundField]:
        """The text search, if there is one."""
        return [field for field in self.form.visible_fields() if field.field.widget.attrs.get("search")]

    def main_fields(self) -> list[BoundField]:
        """The fields beside the search."""
        beside = [field for field in self.form.visible_fields() if not field.field.widget.attrs.get("search")]
        return [field for field in beside if field.name not in self.further]

    def further_fields(self) -> list[BoundField]:
        """The fields that are folded away."""
        return [field for field in self.form.visible_fields() if field.name in self.further]

    def further_in_use(self) -> int:
        """How many of the fields that are folded away narrow the list, or were meant to."""
        return sum(1 for field in self.further_fields() if field.value() not in (None, "", []))

    @property
    def search_text(self) -> str:
        """The text of the search, or empty."""
        return str(getattr(self.form, "cleaned_data", {}).get("q") or "")

    def problems(self) -> list[str]:
        """One message for every filter that was ignored."""
        return [
            f"The filter “{self.form.fields[name].label}” was ignored: {' '.join(map(str, errors))}"
            for name, errors in self.form.errors.items()
            if name in self.form.fields
        ]


class TickChoices(CheckboxSelectMultiple):
    """Several choices of a filter as tick boxes, folded into one line that names what is ticked."""

    template_name = "partials/tick_choices.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = [str(label) for key, label in self.choices if str(key) in (value or [])]
        return context | {"summary": ", ".join(chosen) or "Any"}


class SeveralFilter(django_filters.MultipleChoiceFilter):
    """Rows with any of the ticked values."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=TickChoices, **kwargs)


def value_in_words(field: Any, value: Any) -> str:
    if isinstance(field, MultipleChoiceField):
        return " or ".join(str(label) for key, label in field.widget.choices if str(key) in value)
    if isinstance(field, ChoiceField) and not isinstance(field, ModelChoiceField):
        return str(dict(field.widget.choices).get(str(value), value))
    return str(value)


def search(label: str = "Search", placeholder: str = "", **kwargs: Any) -> django_filters.CharFilter:
    """The text search of a page, limited in length. The key `/` puts the cursor into it."""
    attrs = {"type": "search", "search": True, "placeholder": placeholder, "data-page-filter": True}
    widget = django_filters.filters.forms.TextInput(attrs=attrs)
    return django_filters.CharFilter(label=label, max_length=LONGEST_SEARCH, widget=widget, **kwargs)


def page_size(request: HttpRequest) -> int:
    """The size in the URL if it is one of `PAGE_SIZES`, otherwise the default."""
    asked = request.GET.get("per_page", "")
    return next((size for size in PAGE_SIZES if str(size) == asked), DEFAULT_PAGE_SIZE)


def paginate(table: Table, request: HttpRequest, pages: Paginator) -> list[str]:
    """Set the table to the page in the URL, or to the nearest one that exists. Returns messages for the reader."""
    asked, messages = request.GET.get("page", "1"), []
    table.paginator = pages
    try:
        table.page = pages.page(asked)
    except PageNotAnInteger:
        table.page = pages.page(1)
        messages = ["The page number in the address is not a number, so this is the first page."]
    except EmptyPage:
        table.page = pages.page(pages.num_pages)
        messages = ["The list has no such page, so this is the last one."]
    if isinstance(pages, SearchPages) and pages.is_cut:
        messages.append(f"More than {pages.count:,} rows match; these are the first in this order. Narrow the search.")
    return messages


class ListLook:
    """How a person sees a list. `hidden` are columns that make no sense here, whatever anybody chose."""

    def __init__(self, request: HttpRequest, table_class: type[Table], *, hidden: Iterable[str] = ()) -> None:
        choices, self.table_class = read_choices(request), table_class
        self.key, self.is_compact = list_key(table_class), choices.is_compact
        self.has_view = self.key in choices.opens_with
        self.is_chosen = self.key in choices.columns
        never = {*hidden, *table_class._meta.exclude}
        self.offered = [name for name in table_class.base_columns if name not in never]
        self.shown = [name for name in columns_shown(request, table_class) if name in self.offered]

    @property
    def left_out(self) -> list[str]:
        """The columns of the table that are not shown."""
        return [name for name in self.table_class.base_columns if name not in self.shown]

    def offer_columns(self, table: Table) -> list[tuple[str, str, bool]]:
        """The columns that can be chosen: name, heading, and whether it is shown."""
        fixed = always_shown(self.table_class)
        every = ((name, table.columns.columns[name]) for name in self.offered if name not in fixed)
        return [(name, str(column.header), name in self.shown) for name, column in every]


def listing(
    request: HttpRequest,
    queryset: QuerySet[Any],
    table_class: type[Table],
    filterset_class: type[ListFilter] | None = None,
    *,
    describe: Callable[[Any], QuerySet[Any]] | None = None,
    chosen: QuerySet[Any] | None = None,
    **table_options: Any,
) -> dict[str, Any]:
    """The template context of a list page: `table`, `filter`, `chips`, `problems`, `clear_url`, `kept_parameters`,
    how the person sees it (`look`, `columns`), and `files`.

    `describe` adds the joins and annotations that only the rows of a page need, after filtering and counting. Raises
    `ExportAsked` where the address asks for a file; it has the rows of `chosen`, if given, whatever the filter.
    """
    filterset_class, queryset = (filterset_class, queryset) if chosen is None else (None, chosen)
    queryset = queryset if filterset_class else limit_rows(request, queryset)
    look = ListLook(request, table_class, hidden=table_options.pop("exclude", ()))
    filterset = filterset_class(request.GET, queryset=queryset, request=request) if filterset_class else None
    rows = filterset.qs if filterset else queryset
    # The table does not get the request: django-tables2 would accept any page size from it, even a negative one.
    table = table_class(rows, exclude=look.left_out, **table_options)
    table.request = request
    if asked := [alias for alias in request.GET.getlist("sort") if alias.lstrip("-") in look.shown]:
        table.order_by = asked
    settle_order(table)
    every = describe(queryset) if describe else queryset
    if kind := asked_kind(request):
        is_misread = bool(filterset and filterset.errors)
        raise ExportAsked(ListExport(kind, table, every if describe else None, is_misread))
    searched, size = bool(filterset and filterset.search_text), page_size(request)
    pages = Paginator(table.rows, size)
    if searched or describe or table.indexed:
        pages = (SearchPages if searched else Pages)(table, size, every=every, patient=is_patient(request))
    table.paginator = pages  # from now on django-tables2 counts rows in the database, instead of reading all of them
    problems = ([] if searched else limit_orders(table, pages)) + paginate(table, request, pages)
    problems = [] if getattr(pages, "is_looking", False) else problems  # they are told with the rows
    return {
        "table": table,
        "filter": filterset,
        "problems": (filterset.problems() if filterset else []) + problems,
        "chips": filter_chips(request, filterset) if filterset else [],
        "clear_url": f"{request.path}?{SAVED}={NO_VIEW}" if look.has_view else request.path,
        "kept_parameters": [(name, request.GET[name]) for name in KEPT if request.GET.get(name)],
        "files": offer_kinds(request),
        "look": look,
        "columns": look.offer_columns(table),
    }


def limit_orders(table: Table, pages: Paginator) -> list[str]:
    """Offer a long list only the orders that an index serves, and say so if another one was asked for."""
    if table.indexed is None or not is_too_long_to_sort(table, pages):
        return []
    asked = [alias for alias in table.order_by if alias.lstrip("-") not in table.indexed]
    for name in set(table.columns.names()) - set(table.indexed):
        table.columns[name].column.orderable = False
    if not asked:
        return []
    table.order_by = type(table)._meta.order_by
    settle_order(table)
    names = " or ".join(str(table.columns[name].header).lower() for name in table.indexed if name in table.columns)
    return [f"A list as long as this is sorted by {names} only. Filter it to sort it otherwise."]


def is_too_long_to_sort(table: Table, pages: Paginator) -> bool:
    """Whether a list has more rows than can be sorted by any column while a page waits."""
    if getattr(pages, "is_counting", False) or pages.count > MOST_SORTED:
        return True
    of_all = table.data.data.model._meta.db_table
    return bool(pages.count > MOST_SORTED_OF_MORE) and sql.has_more_rows(of_all, MOST_SORTED)


def settle_order(table: Table) -> None:
    """Sort equal rows by their key. Otherwise one row could appear on two pages and another on none."""
    ordering = table.data.data.query.order_by
    if ordering and not {"pk", "-pk"} & set(ordering):
        table.data.data = table.data.data.order_by(*ordering, "pk")


def filter_chips(request: HttpRequest, filterset: ListFilter) -> list[dict[str, str]]:
    """One chip per active filter: its label, its value in words, and the address of the list without it."""
    made = []
    for name, label, text in filterset.active_filters():
        left = request.GET.copy()
        for gone in (name, "page", "selection"):
            left.pop(gone, None)
        made.append({"label": label, "text": text, "url": f"{request.path}?{left.urlencode()}"})
    return made

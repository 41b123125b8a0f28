"""Reading rows: a list with the filters of its page, page by page, and one row by its number.

Parameters are those of the page's filter form, and `limit` and `cursor`. Everything else is refused, because a
parameter that is ignored silently gives a list that somebody takes for another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, ClassVar

from django.core import signing
from django.db.models import Model, QuerySet
from django.http import Http404
from django_filters import BooleanFilter, Filter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from samsaas.api.problems import CallRefused
from samsaas.api.schema import OperationSchema, takes_empty
from samsaas.api.terms import CURSOR, DEFAULT_LIMIT, LARGEST_KEY, LIMIT, MOST_AT_ONCE
from samsaas.lib.sight import limit_rows
from samsaas.lib.tables import ListFilter

SALT = "samsaas.api.cursor"
UNDECLARED = "There is no such parameter."
TWICE = "It is given more than once."
BAD_LIMIT = f"Give a whole number from 1 to {MOST_AT_ONCE}."
BAD_FLAG = "Give true or false."
NOTHING_GIVEN = "Give a value, or leave the parameter out."
BAD_CURSOR = "This cursor is of another list or of other filters, or it was changed. Begin without a cursor."


class Resource(GenericViewSet):
    """Rows of one kind. An app declares one class for each, with the docstring that the OpenAPI document shows.

    `filterset` is the filter form of the page. `rows` are what it filters, with the annotations that filters need.
    `related` are joined, and `fetched` are fetched together, for the rows of one page only.
    """

    schema = OperationSchema()
    serializer_class: ClassVar[Any]
    filterset: ClassVar[type[ListFilter] | None] = None
    model: ClassVar[type[Model]]
    related: ClassVar[tuple[str, ...]] = ()
    fetched: ClassVar[tuple[str, ...]] = ()
    is_paged = True
    url_name = ""  # given by its route

    def rows(self) -> QuerySet[Any]:
        """What the list filters."""
        return self.model._default_manager.all()

    def described(self) -> QuerySet[Any]:
        """The rows with all that their fields need."""
        rows = self.rows().select_related(*self.related) if self.related else self.rows()
        return rows.prefetch_related(*self.fetched)

    def get_queryset(self) -> QuerySet[Any]:
        return self.described()

    def write(self, found: Any, *, many: bool = False) -> Any:
        """Rows as JSON."""
        return self.get_serializer(found, many=many).data

    def list(self, request: Request) -> Response:
        return answer_list(self, request)

    def retrieve(self, request: Request, pk: int) -> Response:
        check_parameters(request, ())
        return Response(self.write(find_row(self, pk)))


def find_row(resource: Resource, pk: int) -> Any:
    """The row with this number. Raises `Http404`."""
    rows = limit_rows(resource.request, resource.described())
    found = rows.filter(pk=pk).first() if pk <= LARGEST_KEY else None
    if found is None:
        raise Http404
    return found


def answer_list(resource: Resource, request: Request) -> Response:
    """A page of the filtered list, newest rows first, and the address of the next one."""
    filterset = resource.filterset
    names = filterset.base_filters.keys() if filterset else ()
    check_parameters(request, (*names, LIMIT, CURSOR))
    rows = limit_rows(request, resource.rows())
    rows = filter_rows(filterset, rows, request) if filterset else rows
    limit, after = read_limit(request), read_cursor(request)
    keys = _read_keys(rows, limit, after)
    found = {row.pk: row for row in resource.described().filter(pk__in=keys[:limit])}
    shown = [found[key] for key in keys[:limit] if key in found]
    following = write_next(request, keys[limit - 1]) if len(keys) > limit else None
    return Response({"results": resource.write(shown, many=True), "next": following})


def _read_keys(rows: QuerySet[Any], limit: int, after: int | None) -> list[int]:
    """The numbers of a page, and one more if there is another page. A row that is added meanwhile moves none."""
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[: limit + 1])


def check_parameters(request: Request, declared: Iterable[str]) -> None:
    """Raises `CallRefused` for a parameter that is not declared, or is given twice."""
    known = set(declared)
    errors = {name[:100]: [UNDECLARED] for name in request.query_params if name not in known}
    errors |= {name: [TWICE] for name, texts in request.query_params.lists() if name in known and len(texts) > 1}
    if errors:
        raise CallRefused(errors=errors)


def filter_rows(kind: type[ListFilter], rows: QuerySet[Any], request: Request) -> QuerySet[Any]:
    """The rows that the parameters choose. Raises `CallRefused` with the words of the page's form."""
    given = request.query_params
    asked = {name: one for name, one in kind.base_filters.items() if name in given}
    errors = {name: [BAD_FLAG] for name, one in asked.items() if is_no_flag(one, given[name])}
    errors |= {name: [NOTHING_GIVEN] for name, one in asked.items() if not given[name] and not takes_empty(one)}
    if errors:
        raise CallRefused(errors=errors)
    chosen = kind(request.query_params, queryset=rows, request=request)
    if not chosen.form.is_valid():
        raise CallRefused(errors={name: list(map(str, texts)) for name, texts in chosen.form.errors.items()})
    return chosen.qs


def is_no_flag(one: Filter, text: str) -> bool:
    """Whether a filter takes true or false, and this is another word, which a form would take for no choice."""
    return isinstance(one, BooleanFilter) and text.lower() not in ("", "true", "false")


def read_limit(request: Request) -> int:
    """How many rows the page shall have. Raises `CallRefused`."""
    text = request.query_params.get(LIMIT, str(DEFAULT_LIMIT))
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    if not is_number or not 1 <= int(text) <= MOST_AT_ONCE:
        raise CallRefused(errors={LIMIT: [BAD_LIMIT]})
    return int(text)


def read_cursor(request: Request) -> int | None:
    """After which row the page begins. Raises `CallRefused` for a cursor of another list or of other filters."""
    text = request.query_params.get(CURSOR)
    if text is None:
        return None
    try:
        of_list, key = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        of_list, key = None, 0
    if of_list != _list_key(request):
        raise CallRefused(errors={CURSOR: [BAD_CURSOR]})
    return int(key)


def write_next(request: Request, last: int) -> str:
    """The address of the page that begins after a row."""
    query = request.query_params.copy()
    query[CURSOR] = signing.dumps([_list_key(request), last], salt=SALT)
    return f"{request.path}?{query.urlencode()}"


def _list_key(request: Request) -> str:
    """What names a list with its filters."""
    chosen = sorted((name, text) for name, text in request.query_params.items() if name not in (LIMIT, CURSOR))
    return sha256(repr((request.path, chosen)).encode("utf-8", "replace")).hexdigest()[:16]

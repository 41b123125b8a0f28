"""Rows of a list that a person has selected, over pages and in any order.

1. `selection_bar.prepare_page` gives a list page its tick boxes and its bar. A selection belongs to one filter of one
   list. It is named by a token in the address, so that two tabs do not share one, and a list that is opened anew begins
   without any.
2. `answer` receives what was ticked on a page, keeps it in the session, and goes on: to another page of the list, or
   to an action.
3. `read` gives an action its rows, computed anew: from the ids that were ticked, of which only those count that the
   person may see, or from the filter, if all of it was selected. Then the number and the fingerprint of what the
   person saw are there, too (`weigh_selection`).

Nothing that is posted is trusted, and no list of ids is longer than `MOST_TICKED`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from samsaas.lib.list_choices import SAVED
from samsaas.lib.list_export import PARAMETER as FILE, asked_kind
from samsaas.lib.paging import COUNTED
from samsaas.lib.sight import limit_rows
from samsaas.lib.tables import PAGE_SIZES, ListFilter

PARAMETER = "selection"
PLACE_PARAMETERS = ("page", "per_page", "sort", SAVED, COUNTED, PARAMETER)  # what of an address is no filter
STORED = "samsaas_selections"  # key of the session
MOST_TICKED = 500  # ids in one statement; more can only be selected as all of a filter
MOST_STORED = 5  # selections in one session, the latest
LONGEST_PLACE = 8000  # as long as an address may be
TOKEN = re.compile(r"[\w-]{8,32}", re.ASCII)
KEPT_METHOD = 307  # the browser repeats the POST at the other address

GONE = "This selection is over. Select the rows again."
TOO_MANY = (
    f"At most {MOST_TICKED} rows can be ticked one by one. Choose a filter, and select all rows of it. "
    "What was ticked before is still selected."
)
NOTHING = "Nothing is selected. Tick some rows first."
FILTER_IGNORED = "A filter in the address cannot be used, so its rows cannot be selected. Remove that filter first."


class SelectionGone(Exception):
    """There is no such selection in this session, or its filter cannot be used any more. The text is for a person."""


class TooManyTicked(Exception):
    """More rows were ticked than one statement may name. Nothing was stored."""


@dataclass(frozen=True)
class Fingerprint:
    """How many rows there are, and a digest of which ones."""

    count: int
    digest: str


@dataclass(frozen=True)
class SelectableList:
    """A list whose rows can be selected: the URL names of its page and of its orders, and its rows.

    `rows` gives the rows that the person of a request may see. Everything that is selected is a part of them.
    """

    key: str
    url_name: str
    select_url_name: str
    rows: Callable[[HttpRequest], QuerySet[Any]]
    filterset: type[ListFilter]

    def filter_part(self, query: QueryDict) -> str:
        """The part of a query string that is the filter, always written the same way."""
        filters = (name for name in query if name not in PLACE_PARAMETERS)
        used = sorted((name, value) for name in filters for value in query.getlist(name) if value)
        part = QueryDict(mutable=True)
        for name, value in used:
            part.appendlist(name, value)
        return part.urlencode()

    def matching_rows(self, request: HttpRequest, filter_query: str) -> QuerySet[Any]:
        """The rows of a filter. Raises `SelectionGone` if it cannot be used: without it, other rows would match."""
        found = self.filterset(QueryDict(filter_query), queryset=self.rows(request), request=request)
        if found.errors:
            raise SelectionGone(FILTER_IGNORED)
        return found.qs

    def rows_behind(self, request: HttpRequest, selection: Selection) -> QuerySet[Any]:
        """The rows that were ticked, or all of the filter with those not ticked any more. Raises `SelectionGone`."""
        if selection.seen:
            return self.matching_rows(request, selection.filter_query)
        return limit_rows(request, self.rows(request)).filter(pk__in=sorted(selection.ids))

    def address(self, filter_query: str, token: str = "") -> str:
        """The address of the list with this filter, and with a selection if there is a token."""
        query = QueryDict(filter_query, mutable=True)
        if token:
            query[PARAMETER] = token
        return f"{reverse(self.url_name)}?{query.urlencode()}".removesuffix("?")


@dataclass(frozen=True)
class Selection:
    """The ids that are ticked. If all of the filter is selected (`seen`), those that are not ticked any more."""

    token: str
    filter_query: str
    ids: frozenset[int] = frozenset()
    seen: Fingerprint | None = None

    @property
    def count(self) -> int:
        """How many rows were selected when the person saw them."""
        return self.seen.count - len(self.ids) if self.seen else len(self.ids)

    def holds(self, pk: int) -> bool:
        return (pk in self.ids) != bool(self.seen)

    def with_page(self, shown: Iterable[int], ticked: Iterable[int]) -> Selection:
        """The same, after a page said which rows it showed and which were ticked. Raises `TooManyTicked`."""
        of_page, on = frozenset(shown), frozenset(ticked) & frozenset(shown)
        ids = (self.ids - of_page) | (of_page - on if self.seen else on)
        if len(ids) > MOST_TICKED:
            raise TooManyTicked
        return replace(self, ids=ids)


@dataclass(frozen=True)
class BarAction:
    """A button of the bar. `url_name` is the page that it leads to; with `keeps_post` it gets a POST.

    With `file`, a kind of `samsaas.lib.list_export`, that page is a list that answers with the rows as a file.
    """

    name: str
    label: str
    url_name: str
    icon: str = ""
    tone: str = "secondary"
    keeps_post: bool = False
    file: str = ""

    def address(self, token: str, place: QueryDict) -> str:
        """Where the button leads with a selection. A file has the order of the list."""
        query = QueryDict(mutable=True)
        query[PARAMETER] = token
        if self.file:
            query[FILE] = self.file
            query.setlist("sort", place.getlist("sort"))
        return f"{reverse(self.url_name)}?{query.urlencode()}"


class RunningDigest:
    """Counts ids, in their order, and makes their fingerprint."""

    def __init__(self) -> None:
        self.count, self.digest = 0, blake2b(digest_size=12)

    def add(self, pk: int) -> None:
        self.count += 1
        self.digest.update(b"%d," % pk)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.count, self.digest.hexdigest())


def take_fingerprint(rows: QuerySet[Any]) -> Fingerprint:
    """Count the rows and tell which they are. Reads every id once, and keeps none."""
    digest = RunningDigest()
    for pk in rows.order_by("pk").values_list("pk", flat=True).iterator():
        digest.add(pk)
    return digest.fingerprint


def answer(request: HttpRequest, selectable: SelectableList, actions: Sequence[BarAction]) -> HttpResponse:
    """Keep what was ticked on a page of the list, and go on where the button says.

    `go` is another place in the list. `do` is `keep` (only that), `page`, `all`, `clear`, or the name of an action.
    """
    place, order = _read_place(request.POST.get("place", "")), request.POST.get("do", "")
    try:
        found = _receive(request, selectable, selectable.filter_part(place), order)
    except (TooManyTicked, SelectionGone) as problem:
        return _refuse(request, selectable, place, str(problem) or TOO_MANY)
    if order == "keep":
        return HttpResponse(status=204)
    action = next((one for one in actions if one.name == order), None)
    if action and not found.count:
        messages.info(request, NOTHING)
    elif action:
        address = action.address(found.token, place)
        return HttpResponseRedirect(address, status=KEPT_METHOD if action.keeps_post else 303)
    target = _read_place(request.POST["go"]) if "go" in request.POST else place
    return HttpResponseRedirect(selectable.address(target.urlencode(), found.token), status=303)


def load(request: HttpRequest, token: str, selectable: SelectableList) -> Selection:
    """A selection of this session. Raises `SelectionGone`."""
    found = stored_selection(request, token, selectable)
    if found is None:
        raise SelectionGone(GONE)
    return found


def read(request: HttpRequest, token: str, selectable: SelectableList) -> QuerySet[Any]:
    """The selected rows as they are now. Raises `SelectionGone`."""
    found = load(request, token, selectable)
    rows = selectable.rows_behind(request, found)
    return rows.exclude(pk__in=sorted(found.ids)) if found.seen else rows


def read_for_file(request: HttpRequest, selectable: SelectableList) -> QuerySet[Any] | None:
    """The selected rows where the address asks for a file of them, else None. Raises `SelectionGone`."""
    token = request.GET.get(PARAMETER, "")
    return read(request, token, selectable) if token and asked_kind(request) else None


def forget(request: HttpRequest, token: str) -> None:
    """Drop a selection whose rows were dealt with."""
    stored = request.session.get(STORED, {})
    if stored.pop(token, None) is not None:
        request.session[STORED] = stored


def _receive(request: HttpRequest, selectable: SelectableList, part: str, order: str) -> Selection:
    """Store the selection with what was posted. Raises `TooManyTicked` or `SelectionGone`, and stores nothing then."""
    token = request.POST.get(PARAMETER, "")
    token = token if TOKEN.fullmatch(token) else secrets.token_urlsafe(9)
    found = stored_selection(request, token, selectable)
    if found is None or found.filter_query != part:
        found = Selection(token, part)
    if order == "clear":
        found = Selection(token, part)
    elif order == "all":
        found = Selection(token, part, seen=take_fingerprint(selectable.matching_rows(request, part)))
    else:
        shown = _read_ids(request.POST.get("shown", "").split(","))
        ticked = shown if order == "page" else _read_ids(request.POST.getlist("row"))
        found = found.with_page(shown, ticked)
    _store(request, selectable, found)
    return found


def _read_place(text: str) -> QueryDict:
    """The query string of a place in a list. One that no list has written is none."""
    return QueryDict(text.removeprefix("?") if len(text) <= LONGEST_PLACE else "")


def _read_ids(texts: Sequence[str]) -> list[int]:
    """The ids among the texts. Raises `TooManyTicked` where there are more than on the largest page."""
    if len(texts) > max(PAGE_SIZES):
        raise TooManyTicked
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


def _refuse(request: HttpRequest, selectable: SelectableList, place: QueryDict, problem: str) -> HttpResponse:
    if request.POST.get("do") == "keep":
        return HttpResponse(problem, status=400, content_type="text/plain; charset=utf-8")
    messages.error(request, problem)
    token = request.POST.get(PARAMETER, "")
    return HttpResponseRedirect(selectable.address(place.urlencode(), token), status=303)


def stored_selection(request: HttpRequest, token: str, selectable: SelectableList) -> Selection | None:
    """The selection of this list under this token in the person's session, or None."""
    stored = request.session.get(STORED, {}).get(token)
    if not stored or stored["list"] != selectable.key:
        return None
    seen = Fingerprint(*stored["seen"]) if stored["seen"] else None
    return Selection(token, stored["filter"], frozenset(stored["ids"]), seen)


def _store(request: HttpRequest, selectable: SelectableList, found: Selection) -> None:
    """Keep the selection as the latest of the session. One without rows is not kept."""
    stored = request.session.get(STORED, {})
    before = stored.pop(found.token, None)
    if found.count > 0:
        seen = [found.seen.count, found.seen.digest] if found.seen else None
        entry = {"list": selectable.key, "filter": found.filter_query, "ids": sorted(found.ids), "seen": seen}
        stored[found.token] = entry
        stored = dict(list(stored.items())[-MOST_STORED:])
    if found.count > 0 or before is not None:
        request.session[STORED] = stored

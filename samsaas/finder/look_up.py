"""Find whatever has a text, of what the account may open.

1. Pages and actions by their names and by other words for them.
2. Records: one query a kind (two for seats, whose ids belong to profiles), each for a few rows only and served by the
   index of that kind's list. Where there are more, the list itself is offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from samsaas import navigation, policy
from samsaas.finder import sources
from samsaas.lib import search
from samsaas.lib.finders import Finder
from samsaas.lib.sight import limit_rows

MOST = 6


@dataclass(frozen=True)
class Found:
    """One line of what was found."""

    label: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class FoundGroup:
    """The lines of one kind. `more_url` is the list of all, where there are more."""

    label: str
    icon: str
    found: list[Found]
    more_url: str = ""


def run(text: str, request: HttpRequest) -> list[FoundGroup]:
    """What there is, in groups; those without any are left out."""
    pages = FoundGroup("Pages", "arrow-right", list(_find_pages(text, request))[:MOST])
    actions = FoundGroup("Actions", "plus", list(_find_actions(text, request))[:MOST])
    records = [_find_records(one, text, request) for one in may_open(request)]
    return [group for group in (pages, actions, *records) if group.found]


def may_open(request: HttpRequest) -> list[Finder]:
    """The kinds of records that this account may open."""
    return [one for one in sources.FINDERS if policy.may(request.user, one.url_name)]


def show(finder: Finder, rows: Iterable[Any]) -> list[Found]:
    """The lines of some records. Their addresses remember that they were opened."""
    return [Found(finder.name(row), _address_of(finder, row), finder.note(row)) for row in rows]


def _address_of(finder: Finder, row: Any) -> str:
    return reverse("find_open", args=[f"{finder.key}-{row.pk}"])


def _find_pages(text: str, request: HttpRequest) -> Iterator[Found]:
    for group in navigation.for_request(request):
        for item in group.items:
            if search.is_in(text, item.label, group.label):
                yield Found(item.label, item.url, group.label)


def _find_actions(text: str, request: HttpRequest) -> Iterator[Found]:
    for action in sources.ACTIONS:
        if policy.may(request.user, action.url_name) and search.is_in(text, action.label, action.words):
            yield Found(action.label, reverse(action.url_name))


def _find_records(finder: Finder, text: str, request: HttpRequest) -> FoundGroup:
    rows = list(finder.find(limit_rows(request, finder.rows()), text)[: MOST + 1])
    more = f"{reverse(finder.list_name)}?{urlencode({'q': text})}" if len(rows) > MOST else ""
    return FoundGroup(finder.label, finder.icon, show(finder, rows[:MOST]), more)

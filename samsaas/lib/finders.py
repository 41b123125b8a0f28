"""What an app tells the one search for everything: kinds of records that can be found, and actions that can be begun.

Each app has its own in a module `finders`. The search knows none of their models (`samsaas.finder`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When


@dataclass(frozen=True, kw_only=True)
class Finder:
    """One kind of records. `url_name` is the page of one, `list_name` the list in which the search can go on.

    `rows` are all of them with what a line needs of other rows. `find` gives those that have a text, in the order in
    which they are shown; an index has to serve it. `note` tells records of the same name apart.
    """

    key: str
    label: str
    icon: str
    url_name: str
    list_name: str
    rows: Callable[[], QuerySet[Any]]
    find: Callable[[Any, str], QuerySet[Any]]
    note: Callable[[Any], str]
    name: Callable[[Any], str] = str


@dataclass(frozen=True, kw_only=True)
class PageAction:
    """A page on which something is begun. `words` are other words that people have for it."""

    label: str
    url_name: str
    words: str = ""


def order_exact_first(rows: QuerySet[Any], exactly: Q | None, *order: str) -> QuerySet[Any]:
    """The rows in an order, the one that was named exactly before all others."""
    if exactly is None:
        return rows.order_by(*order)
    return rows.order_by(Case(When(exactly, then=Value(0)), default=Value(1)), *order)


def join_notes(*parts: Any) -> str:
    """What is known of a record, in one line."""
    return ", ".join(str(part) for part in parts if part)

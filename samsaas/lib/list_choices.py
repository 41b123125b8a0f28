"""What a person has chosen for their lists: how dense they are, which columns they show, and with which view they open.

The middleware of `samsaas.lists` puts it on the request. Without it a list is as its table says. A list is named by the
class of its table; who renames a class loses what people chose for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict

SAVED = "saved"  # parameter of an address: which saved view it is of
NO_VIEW = "none"  # its value where the whole list is wanted, and not the view that it opens with


@dataclass(frozen=True)
class ListChoices:
    """The choices of one person. `columns` are those shown, by list; `opens_with` are ids of saved views, by list."""

    is_compact: bool = True
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    opens_with: Mapping[str, int] = field(default_factory=dict)


NOTHING_CHOSEN = ListChoices()


def read_choices(request: HttpRequest) -> ListChoices:
    """The choices of the person of this request."""
    return getattr(request, "list_choices", NOTHING_CHOSEN)


def list_key(table_class: type[Any]) -> str:
    """What names a list in what is stored."""
    return table_class.__name__


def is_tick(column: Any) -> bool:
    """Whether a column of a table has the tick boxes of a list whose rows can be selected."""
    return getattr(column, "is_tick", False)


def always_shown(table_class: type[Any]) -> list[str]:
    """The columns that cannot be hidden: tick boxes, and the first column after them, which opens the row."""
    names = list(table_class.base_columns)
    ticks = [name for name in names if is_tick(table_class.base_columns[name])]
    return ticks + [name for name in names if name not in ticks][:1]


def columns_shown(request: HttpRequest, table_class: type[Any]) -> list[str]:
    """The names of the columns that this person sees in a list, in the order of the table. One query a request.

    A chosen column that the table has no longer is left out.
    """
    fixed, names = always_shown(table_class), list(table_class.base_columns)
    chosen = read_choices(request).columns.get(list_key(table_class))
    if chosen is None:
        return [name for name in names if name in fixed or name not in table_class.hidden_at_first]
    return [name for name in names if name in fixed or name in chosen]


def write_state(query: QueryDict, names: Iterable[str]) -> str:
    """These parameters of an address as a query string, always written the same way. Empty ones are left out."""
    state = QueryDict(mutable=True)
    for name in sorted(set(names)):
        for value in filter(None, query.getlist(name)):
            state.appendlist(name, value)
    return state.urlencode()

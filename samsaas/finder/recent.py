"""What somebody opened from the search last, for as long as their session lasts.

The session holds kinds and keys only. Names would stay where nobody looks for personal data, and become wrong.
"""

from __future__ import annotations

from django.http import HttpRequest

from samsaas.finder import look_up, sources
from samsaas.finder.look_up import Found, FoundGroup
from samsaas.lib.sight import limit_rows

MOST = 8
KEY = "opened_from_search"


def remember(request: HttpRequest, key: str, pk: int) -> None:
    """Put a record first."""
    before = [one for one in _read(request) if one != (key, pk)]
    request.session[KEY] = [[key, pk], *map(list, before)][:MOST]


def show(request: HttpRequest) -> list[FoundGroup]:
    """The records that are still there and may still be opened. One query for each kind among them."""
    opened, lines = _read(request), dict[tuple[str, int], Found]()
    for finder in look_up.may_open(request):
        keys = [pk for key, pk in opened if key == finder.key]
        rows = list(limit_rows(request, finder.rows()).filter(pk__in=keys)) if keys else []
        lines |= {(finder.key, row.pk): line for row, line in zip(rows, look_up.show(finder, rows), strict=True)}
    found = [lines[one] for one in opened if one in lines]
    return [FoundGroup("Opened last", "history", found)] if found else []


def _read(request: HttpRequest) -> list[tuple[str, int]]:
    return [(key, pk) for key, pk in request.session.get(KEY, []) if key in sources.BY_KEY]

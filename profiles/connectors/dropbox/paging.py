"""Walk a listing of Dropbox's from its first page or a cursor to its last page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from profiles.connectors.base import ActivityPage, Page
from profiles.connectors.dropbox.client import DropboxClient
from profiles.connectors.transport import Answer

AnyPage = TypeVar("AnyPage", Page, ActivityPage)

MOST_EMPTY_PAGES = 1000


def walk_pages(
    client: DropboxClient,
    routes: tuple[str, str],
    start: dict[str, Any],
    decode: Callable[[Answer], AnyPage],
    size: Callable[[AnyPage], int],
    cursor: str = "",
) -> Iterator[AnyPage]:
    """Every page up to the last one. `routes` are that of the first page, asked with `start`, and that of the others.

    An empty page may be followed by others. Raises ListingReset when Dropbox no longer accepts a cursor, and
    ProtocolError for a listing that runs in a circle or has only empty pages.
    """
    first, further = routes
    # "" means the first page. A page with more to come but without a cursor would start the listing again.
    seen, empty = {cursor, ""}, 0
    while True:
        route, argument = (further, {"cursor": cursor}) if cursor else (first, start)
        answer, page = client.call(route, argument, lambda answer: (answer, decode(answer)))
        empty = 0 if size(page) else empty + 1
        # Checked before the page is yielded, so that the error has this answer and its request id.
        if page.has_more and (page.cursor in seen or empty > MOST_EMPTY_PAGES):
            raise client.impossible_answer(route, answer, "the listing goes round in circles")
        yield page
        if not page.has_more:
            return
        cursor = page.cursor
        seen.add(cursor)


def count_records(page: Page) -> int:
    """How many records a page brings, readable or not."""
    return len(page.items) + len(page.set_aside)


def count_events(page: ActivityPage) -> int:
    """How many events or devices a page brings, whether they count or not."""
    return page.read

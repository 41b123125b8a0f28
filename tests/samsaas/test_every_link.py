"""Every link of every page opens, and so does every choice of every filter, on whichever database the tests run.

What a page says is told by tests that run on one kind of database. That both understand its questions is told here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve

from tests.samsaas.api.world import add_rows, reconcile

pytestmark = pytest.mark.django_db
NOT_PAGES = ("/static/", "/outbox/raw/")
WORD = re.compile(r"-?[a-z_]+")
FEWEST = 500  # questions that a world with one row of every kind offers at least


class Doors(HTMLParser):
    """The addresses a page offers: its links, and each choice of the forms that ask instead of telling."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.form: str | None = None
        self.field = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "a" and "href" in given:
            self.found.append(given["href"])
        elif tag == "form":
            self.form = given.get("action", "") if given.get("method", "get").lower() == "get" else None
        elif self.form is not None and (tag == "select" or given.get("type") in ("radio", "checkbox")):
            self.field = given.get("name", "")
        if self.form is not None and self.field and given.get("value"):
            self.found.append(f"{self.form}?{urlencode({self.field: given['value']})}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        if tag in ("form", "select"):
            self.field = ""


def shape(address: str) -> tuple[str, ...] | None:
    """What makes a question another one: its page and the one field it names. Nothing for another site and for several.

    Of a field's values each word counts; of numbers and days one is enough.
    """
    parts = urlsplit(address)
    query = parse_qsl(parts.query)
    if parts.netloc or parts.scheme or parts.path.startswith(NOT_PAGES) or len(query) > 1:
        return None
    if query and parts.path.startswith("/core/"):
        return None  # Django's own filters and sorting
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        return (parts.path,)
    return (
        name,
        *(f"{field}={value if value.replace('_', '').replace('-', '').isalpha() else ''}" for field, value in query),
    )


def walk(client: Any) -> Iterator[tuple[str, Any]]:
    """Open what is offered, from home on, each form of a question once."""
    seen: set[Any] = set()
    waiting = deque(["/", "/core/"])
    while waiting:
        address = waiting.popleft()
        answer = client.get(address)
        yield address, answer
        if "html" not in answer.get("Content-Type", "") or answer.status_code != 200:
            continue
        for offered in Doors(answer.content.decode()).found:
            full = urljoin(address, offered)
            form = shape(full)
            if form and form not in seen:
                seen.add(form)
                waiting.append(full)


def test_every_link_and_every_choice_of_a_filter_opens(signed_in):
    client = signed_in("admin", is_staff=True)
    for _ in range(2):
        add_rows(client.user)
    reconcile(client.user)
    opened = [(address, answer.status_code) for address, answer in walk(client)]
    assert [(address, status) for address, status in opened if status not in (200, 302)] == []
    assert len(opened) >= FEWEST

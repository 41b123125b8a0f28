"""Reading a page as its reader does: how many rows a list has, the numbers that lead somewhere, a table's cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from profiles.models import IntegrationProfile

TICKS = "Select all rows"  # how the heading of tick boxes begins


def cost(client: Client, path: str) -> int:
    """How many queries a page or a download takes once what a process keeps is warm."""
    client.get(path).getvalue()
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
        answer.getvalue()
    assert answer.status_code == 200, path
    return len(asked)


def of_profile(client: Client, profile: IntegrationProfile) -> str:
    """All tabs of a profile's page, one after the other."""
    names = ("profile_detail", "profile_subscriptions", "profile_jobs", "profile_connection")
    return "".join(client.get(reverse(name, args=[profile.pk])).content.decode() for name in names)


def rows_behind(client: Client, url: str) -> int:
    """How many rows a list says it has."""
    page = client.get(url).content.decode()
    told = re.search(r"data-row-count>\S+ of ([\d,]+)<", page)
    assert told or 'class="empty"' in page, url
    return int(told[1].replace(",", "")) if told else 0


def figures(page: str) -> dict[str, int]:
    """The numbers that are links to a list: the list's address -> the number."""
    found = {}
    for address, inside in re.findall(r'<a[^>]*href="(/[a-z-]+/(?:\?[^"]*)?)"[^>]*>(.*?)</a>', page, flags=re.DOTALL):
        if number := re.search(r"(?<!\S)[\d,]+(?!\S)", text_of(inside)):
            found[address.replace("&amp;", "&")] = int(number[0].replace(",", ""))
    return found


def tick(client: Client, page: str, do: str, rows: Iterable[Any]) -> Any:
    """The page that a button of a list's bar leads to, with these rows ticked."""
    keys = [str(one.pk) for one in rows]
    fields = {"do": do, "selection": "selection-1", "place": "", "shown": ",".join(keys), "row": keys}
    return client.post(f"{page}select/", fields, follow=True)


def confirm(client: Client, shown: Any) -> str:
    """Send the form of a page that says what is selected, as it stands. Returns the text of what comes next."""
    fields = {"selection": shown.context["token"], "seen": shown.context["found"].seen}
    answer = client.post(shown.request["PATH_INFO"], fields, follow=True)
    return text_of(answer.content.decode())


def text_of(markup: str) -> str:
    """What is left to read, in one line."""
    return " ".join(re.sub(r"<svg.*?</svg>|<script.*?</script>|<[^>]*>", " ", markup, flags=re.DOTALL).split())


def buttons(page: str) -> list[str]:
    """What the buttons of a page say."""
    return [text_of(inside) for inside in re.findall(r"<button[^>]*>(.*?)</button>", page, flags=re.DOTALL)]


def rows(page: str, first_heading: str) -> dict[str, list[str]]:
    """The table whose first column, or the first after tick boxes, has this heading: its cells -> those after them."""
    reader = _Tables()
    reader.feed(page)
    tables = [table for table in reader.tables if table and table[0]]
    table = next(table for table in tables if first_heading in table[0][: 2 if table[0][0].startswith(TICKS) else 1])
    first = table[0].index(first_heading)
    return {row[first]: row[first + 1 :] for row in table[1:]}


class _Tables(HTMLParser):
    """Every table of a page as rows of texts, as somebody with scripts reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.open = False
        self.unseen = ""  # the tag inside of which only somebody without scripts reads

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.open and tag in ("a", "button", "span") and "without-js" in (dict(attrs).get("class") or "").split():
            self.unseen = tag
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.open = True

    def handle_endtag(self, tag: str) -> None:
        if tag == self.unseen:
            self.unseen = ""
        if tag in ("td", "th"):
            self.open = False

    def handle_data(self, data: str) -> None:
        if self.open and not self.unseen:
            cells = self.tables[-1][-1]
            cells[-1] = " ".join(f"{cells[-1]} {data}".split())

"""Choosing rows of the candidate list as its reader does without scripts: by the form's fields."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from reclamation.models import RemovalCandidate
from tests import factories, pages

LIST = "/removal-candidates/"
SELECT = f"{LIST}select/"


def candidates(count: int, *, profile: Any = None, **fields: Any) -> list[RemovalCandidate]:
    of, identifier = profile or factories.profile(), factories.identifier()
    return [
        factories.candidate(factories.subscription(profile=of, identifier=identifier), **fields) for _ in range(count)
    ]


def request_of(client: Any) -> Any:
    """A request with the session of a client, as a view gets it."""
    request = RequestFactory().get(LIST)
    request.session, request.user = client.session, client.user
    return request


def queries_of(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as asked:
        answer = act()
    assert answer.status_code < 400
    return len(asked)


@dataclass(frozen=True)
class Page:
    """A page of the list as it was shown, and what is ticked on it by now."""

    client: Any
    html: str
    hidden: dict[str, str]
    rows: list[int]
    ticked: frozenset[int]

    @classmethod
    def open(cls, client: Any, address: str) -> Page:
        answer = client.get(address)
        assert answer.status_code == 200, address
        return cls.read(client, answer.content.decode())

    @classmethod
    def read(cls, client: Any, html: str) -> Page:
        found = re.search(r'<form id="selection-form".*?</form>', html, re.DOTALL)
        form = found[0] if found else ""
        hidden = {
            name: entities.unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="(selection|place|shown)" value="([^"]*)"', form)
        }
        boxes = re.findall(r'<input type="checkbox" id="tick-(\d+)"([^>]*)>', html)
        ticked = frozenset(int(pk) for pk, rest in boxes if " checked" in rest)
        return cls(client, html, hidden, [int(pk) for pk, _ in boxes], ticked)

    @property
    def token(self) -> str:
        return self.hidden["selection"]

    @property
    def text(self) -> str:
        found = re.search(r"data-selection-text[^>]*>(.*?)<", self.html)
        return found[1].strip() if found else ""

    @property
    def buttons(self) -> list[str]:
        """The buttons of the actions."""
        return pages.buttons(self.html.split('class="selection-actions"')[1].split("</form>")[0])

    def tick(self, *places: int) -> Page:
        return replace(self, ticked=self.ticked | {self.rows[place] for place in places})

    def untick(self, *places: int) -> Page:
        return replace(self, ticked=self.ticked - {self.rows[place] for place in places})

    def fields(self, order: str = "") -> dict[str, Any]:
        return {**self.hidden, "row": sorted(self.ticked), **({"do": order} if order else {})}

    def keep(self) -> None:
        assert self.client.post(SELECT, self.fields("keep")).status_code == 204

    def press(self, order: str) -> Page:
        return Page.read(self.client, self.client.post(SELECT, self.fields(order), follow=True).content.decode())

    def go_to(self, place: str) -> Page:
        fields = {**self.fields(), "go": f"?{place}"}
        return Page.read(self.client, self.client.post(SELECT, fields, follow=True).content.decode())

"""Everything that goes wrong between vendor and product: which, on which call of which route, how many times."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.client import IncompleteRead
from typing import Any

import requests
from urllib3.exceptions import ProtocolError

from tests.proofs.twin import spoiling, vendor as routes
from tests.proofs.twin.vendor import Listing, Place, Response, Vendor


class Killed(BaseException):
    """kill -9: nobody catches it, nothing is tidied up."""


INSTEAD, CHANGED, CUT, SPOILED = "instead", "changed", "cut", "spoiled"
MORE = (routes.LIST_MORE, routes.EVENTS_MORE)
PAGES = (routes.LIST, routes.EVENTS, *MORE)
ANY = (routes.INFO, *PAGES, routes.FEATURES, routes.DEVICES, routes.TOKEN)
API = tuple(route for route in ANY if route != routes.TOKEN)

# Each kind of fault: how it is done, on which routes it can happen, and on how many calls in a row.
KINDS: dict[str, tuple[str, tuple[str, ...], tuple[int, int]]] = {
    "asked to wait for seconds": (INSTEAD, API, (1, 2)),
    "asked to wait for minutes": (INSTEAD, API, (1, 2)),
    "outage 5xx": (INSTEAD, ANY, (1, 9)),
    "connection reset": (INSTEAD, ANY, (1, 6)),
    "no answer in time": (INSTEAD, ANY, (1, 6)),
    "body cut on the wire": (INSTEAD, API, (1, 5)),
    "a web page with status 400": (INSTEAD, API, (1, 5)),
    "access token expired": (INSTEAD, API, (1, 1)),
    "refused 403": (INSTEAD, API, (1, 1)),
    "grant revoked": (INSTEAD, (routes.TOKEN,), (1, 1)),
    "cursor forgotten": (INSTEAD, (*MORE, routes.DEVICES), (1, 4)),
    "worker killed at a call": (INSTEAD, API, (1, 1)),
    "worker killed while storing": (SPOILED, (routes.EVENTS,), (1, 1)),
    "JSON cut with status 200": (CUT, API, (1, 4)),
    "HTML with status 200": (CUT, API, (1, 4)),
    "{} with status 200": (CUT, (routes.INFO, *PAGES, routes.DEVICES), (1, 4)),
    "empty page with more": (CHANGED, PAGES, (1, 3)),
    "page repeated": (CHANGED, PAGES, (1, 1)),
    "pages overlap": (CHANGED, (routes.EVENTS, routes.EVENTS_MORE), (1, 2)),
    "listing in a circle": (CHANGED, MORE, (1, 1)),
    "counts move": (CHANGED, (routes.INFO,), (1, 2)),
    "token opens another team": (CHANGED, (routes.INFO,), (1, 1)),
    "list truncated": (SPOILED, (routes.LIST,), (1, 1)),
    "odd members": (SPOILED, (routes.LIST,), (1, 1)),
    "log truncated": (SPOILED, (routes.EVENTS,), (1, 2)),
    "log empty": (SPOILED, (routes.EVENTS,), (1, 1)),
    "unknown kinds of actor": (SPOILED, (routes.EVENTS,), (1, 1)),
    "actors left out": (SPOILED, (routes.EVENTS,), (1, 1)),
    "odd events": (SPOILED, (routes.EVENTS,), (1, 1)),
}


@dataclass
class Trouble:
    """A fault that is to come: from call `nth` of a route on, `left` times."""

    kind: str
    route: str
    nth: int
    left: int

    def __str__(self) -> str:
        return f"{self.kind} at call {self.nth} of {self.route}, {self.left}×"


class Plan:
    """The troubles of one refresh. `met` counts those that came to pass, by kind and route, over all of a world."""

    def __init__(self, vendor: Vendor, rng: random.Random, judge: spoiling.Judge) -> None:
        self.vendor, self.rng, self.judge = vendor, rng, judge
        self.troubles: list[Trouble] = []
        self.met: Counter[tuple[str, str]] = Counter()
        self.kill_while_storing = False

    def draw(self, number: int) -> list[Trouble]:
        """Plan so many troubles for the next refresh, and forget those that did not come to pass."""
        self.vendor.calls.clear()
        self.kill_while_storing = False
        self.troubles = []
        for _ in range(number):
            kind = self.rng.choice(list(KINDS))
            _, where, times = KINDS[kind]
            route = self.rng.choice(where)
            nth = self.rng.randint(1, 5) if route in (*MORE, routes.DEVICES, routes.TOKEN) else 1
            self.troubles.append(Trouble(kind, route, nth, self.rng.randint(*times)))
        return list(self.troubles)

    def had(self, *kinds: str) -> bool:
        """Whether one of these kinds came to pass in this refresh."""
        return any(trouble.kind in kinds and trouble.left == 0 for trouble in self.troubles)

    def _due(self, how: str, route: str, nth: int) -> Trouble | None:
        for trouble in self.troubles:
            if KINDS[trouble.kind][0] == how and trouble.route == route and nth >= trouble.nth and trouble.left:
                trouble.left -= 1
                self.met[trouble.kind, route] += 1
                return trouble
        return None

    def instead(self, route: str, nth: int) -> Response | None:
        trouble = self._due(INSTEAD, route, nth)
        return self._answer_badly(trouble) if trouble else None

    def _answer_badly(self, trouble: Trouble) -> Response:  # noqa: PLR0911 - a list of answers
        vendor, kind = self.vendor, trouble.kind
        if kind == "worker killed at a call":
            raise Killed
        if kind == "connection reset":
            raise requests.ConnectionError(ConnectionResetError("twin"))
        if kind == "no answer in time":
            raise requests.ReadTimeout("twin")
        if kind == "body cut on the wire":
            raise ProtocolError("Connection broken", IncompleteRead(b"{"))
        if kind.startswith("asked to wait"):
            seconds = self.rng.randint(1, 9) if kind.endswith("seconds") else self.rng.randint(60, 3000)
            return vendor.respond(429, {"error": {".tag": "too_many_requests"}}, **{"Retry-After": str(seconds)})
        if kind == "outage 5xx":
            return self.rng.choice((500, 502, 503, 504)), {"Content-Type": "text/html"}, b"<html>trouble</html>"
        if kind == "a web page with status 400":
            return 400, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html></html>"
        if kind == "grant revoked":
            return vendor.respond(400, {"error": "invalid_grant", "error_description": "twin"})
        status, tag = {
            "access token expired": (401, "expired_access_token"),
            "refused 403": (403, "no_permission"),
        }.get(
            kind,
            (409, {routes.LIST_MORE: "invalid_cursor", routes.EVENTS_MORE: "bad_cursor"}.get(trouble.route, "reset")),
        )
        return vendor.respond(status, {"error_summary": f"{tag}/..", "error": {".tag": tag}})

    def cut(self, route: str, nth: int, body: bytes) -> bytes:
        trouble = self._due(CUT, route, nth)
        if not trouble:
            return body
        if trouble.kind.startswith("JSON"):
            return body[: max(1, len(body) // 2)]
        return b"{}" if trouble.kind.startswith("{}") else b"<html>Please sign in to the network.</html>"

    def change(self, route: str, nth: int, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        trouble = self._due(CHANGED, route, nth)
        return CHANGES[trouble.kind](self, route, place, answer) if trouble else answer

    def spoil_list(self, listing: Listing) -> None:
        while trouble := self._due(SPOILED, routes.LIST, 1):
            spoiling.spoil_list(trouble.kind, listing, self.rng)

    def spoil_log(self, listing: Listing) -> None:
        """At most one fault spoils a reading, so that it is known which one has to be noticed."""
        trouble = self._due(SPOILED, routes.EVENTS, 1)
        if trouble and trouble.kind == "worker killed while storing":
            self.kill_while_storing = True
        elif trouble:
            spoiling.spoil_log(trouble.kind, listing, self.rng, self.judge)

    # Changed answers.

    def _count_otherwise(self, route: str, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        off = self.rng.choice((-2, -1, 1, 2, 50))
        moved = {key: max(0, value + off) for key, value in answer.items() if key.startswith("num_")}
        return {**answer, **moved}

    def _open_another_team(self, route: str, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "team_id": "dbtid:stranger"}

    def _send_empty_page(self, route: str, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        assert place
        rows = "members" if place.route == routes.LIST else "events"
        first = route == place.route
        if place.route == routes.LIST:
            self.vendor.served = lambda: self.vendor.witness.see_members(first, [], False)
        else:
            self.vendor.served = lambda: self.vendor.witness.see_events(place.listing if first else None, [], False)
        again = self.vendor.cursor(Place(place.listing, place.route, place.start))
        return {**answer, rows: [], "has_more": True, "cursor": again}

    def _repeat_page(self, route: str, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        assert place
        return {
            **answer,
            "has_more": True,
            "cursor": self.vendor.cursor(Place(place.listing, place.route, place.start)),
        }

    def _overlap(self, route: str, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        assert place
        end = place.start + len(answer["events"])
        back = self.rng.randint(0, len(answer["events"]))
        return {**answer, "has_more": True, "cursor": self.vendor.cursor(Place(place.listing, place.route, end - back))}

    def _go_round(self, route: str, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]:
        self.vendor.served = None  # the product sees it before it takes the page
        asked = next(name for name, one in self.vendor.cursors.items() if one is place)
        return {**answer, "has_more": True, "cursor": asked}


CHANGES: dict[str, Callable[[Plan, str, Place | None, dict[str, Any]], dict[str, Any]]] = {
    "empty page with more": Plan._send_empty_page,
    "page repeated": Plan._repeat_page,
    "pages overlap": Plan._overlap,
    "listing in a circle": Plan._go_round,
    "counts move": Plan._count_otherwise,
    "token opens another team": Plan._open_another_team,
}
assert {kind for kind, (how, _, _) in KINDS.items() if how == CHANGED} == set(CHANGES)

"""Faults on order: what a test wants Dropbox, or the network before it, to do wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from profiles.connectors.dropbox.sandbox.messages import JSON, TEXT, Delivery, Response

EVERY_ROUTE = "*"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing going wrong.

    With a `status` the route is not asked, unless `acts`: then the call takes effect and its answer is replaced.
    Without one the true answer is delivered in the way `delivery` says. A dict body is sent as JSON.
    """

    status: int | None = None
    body: bytes | str | dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    delivery: Delivery = Delivery()

    def answer(self) -> Response:
        """The answer in place of the true one."""
        if isinstance(self.body, dict):
            body, media_type = json.dumps(self.body).encode(), JSON
        else:
            body = self.body.encode() if isinstance(self.body, str) else self.body or b""
            media_type = TEXT
        headers = {"Content-Type": media_type, **self.headers}
        return Response(status=self.status or 500, headers=headers, body=body, delivery=self.delivery)


class Faults:
    """The scripted faults by route. A route is as in `team/get_info`, or `oauth2/token`, or `*` for any."""

    def __init__(self) -> None:
        self._planned: list[tuple[str, int | None, Fault]] = []
        self._calls: Counter[str] = Counter()

    def add(self, route: str, nth: int | None, fault: Fault) -> None:
        """Let the nth call of `route` from now fail, counted from 1; None means every call."""
        at = None if nth is None else self._calls[route] + nth
        self._planned.append((route, at, fault))

    def clear(self) -> None:
        self._planned.clear()

    def take(self, route: str) -> Fault | None:
        """Count a call of `route` and give the fault that is due, if any."""
        self._calls[route] += 1
        self._calls[EVERY_ROUTE] += 1
        for planned, at, fault in self._planned:
            if planned in (route, EVERY_ROUTE) and at in (None, self._calls[planned]):
                return fault
        return None

    @staticmethod
    def apply(fault: Fault, response: Response) -> Response:
        """The true answer, as the fault lets it through."""
        if fault.status is not None:
            return fault.answer()
        return replace(response, headers={**response.headers, **fault.headers}, delivery=fault.delivery)

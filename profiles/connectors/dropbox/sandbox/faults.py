"""Planned faults: what a test wants Dropbox, or the network, to do wrong."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from profiles.connectors.dropbox.sandbox.messages import JSON, TEXT, Delivery, Response

if TYPE_CHECKING:
    from profiles.connectors.dropbox.sandbox.schedule import Schedule

EVERY_ROUTE = "*"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    With a `status`, the answer is replaced and the call has no effect, unless `acts` is set. Without a `status`, the
    true answer is delivered as `delivery` says. A dict body is sent as JSON. `late`: the call takes effect this much
    later by the sandbox's clock. On a call that asks for a job, `acts` lets the job end first, and `drops` lets it end
    without doing what it is for.
    """

    status: int | None = None
    body: bytes | str | dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    late: dt.timedelta | None = None
    drops: bool = False
    delivery: Delivery = Delivery()

    def answer(self) -> Response:
        """The answer that replaces the true one."""
        if isinstance(self.body, dict):
            body, media_type = json.dumps(self.body).encode(), JSON
        else:
            body = self.body.encode() if isinstance(self.body, str) else self.body or b""
            media_type = TEXT
        headers = {"Content-Type": media_type, **self.headers}
        return Response(status=self.status or 500, headers=headers, body=body, delivery=self.delivery)


class Faults:
    """The planned faults by route. A route is written as `team/get_info` or `oauth2/token`; `*` means any."""

    def __init__(self) -> None:
        self._planned: list[tuple[str, int | None, Fault]] = []
        self._calls: Counter[str] = Counter()
        self.schedule: Schedule | None = None

    def arm(self, schedule: Schedule | None) -> None:
        """Let calls fail as a schedule says, until it is None. The calls are counted anew."""
        self.schedule = schedule
        self._calls.clear()

    def add(self, route: str, nth: int | None, fault: Fault) -> None:
        """Let the nth call of `route` fail, counted from now and from 1; None means every call."""
        at = None if nth is None else self._calls[route] + nth
        self._planned.append((route, at, fault))

    def clear(self) -> None:
        self._planned.clear()
        self.schedule = None

    def take(self, route: str) -> Fault | None:
        """Count a call of `route` and return the fault planned for it, if any."""
        self._calls[route] += 1
        self._calls[EVERY_ROUTE] += 1
        for planned, at, fault in self._planned:
            if planned in (route, EVERY_ROUTE) and at in (None, self._calls[planned]):
                return fault
        return self.schedule.plan(route, self._calls[route]) if self.schedule else None

    @staticmethod
    def apply(fault: Fault, response: Response) -> Response:
        """Apply the fault to the true answer."""
        if fault.status is not None:
            return fault.answer()
        return replace(response, headers={**response.headers, **fault.headers}, delivery=fault.delivery)

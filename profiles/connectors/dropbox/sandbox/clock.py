"""The time of a sandbox. It can be moved, and everything in the sandbox follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable


def machine_time() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Clock:
    """What time it is for the sandbox: that of `source`, moved by `shift`.

    Tokens run out, jobs end, transfers arrive and the days of recovery pass by it. Give the product's own clock as
    `source` to move both at once. `moved` is called after every move.
    """

    def __init__(self, source: Callable[[], dt.datetime] = machine_time) -> None:
        self.source = source
        self.shift = dt.timedelta()
        self.moved: Callable[[], None] = lambda: None

    def now(self) -> dt.datetime:
        return self.source() + self.shift

    def move(self, by: dt.timedelta) -> None:
        """Let this much time pass at once."""
        self.shift += by
        self.moved()

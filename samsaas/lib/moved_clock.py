"""A process whose clock is ahead of the machine's: for the demo, and for tests at another moment.

Python's clock is moved by time-machine, which every thread of the process sees. A database's clock cannot be moved, and
SQLite asks the system, so what `Now()` gives is corrected on its way. Waits of threads and sockets are not touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import time_machine
from django.db.models.functions import Now

SQLITE = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW', '{:+.3f} seconds')"
POSTGRESQL = "(STATEMENT_TIMESTAMP() + INTERVAL '{:.6f} seconds')"


class MovedClock:
    """From `begin` to `end` the process lives `ahead` seconds from the machine's time; `move_to` changes that."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._travel = time_machine.travel(dt.datetime.now(dt.UTC), tick=True)
        self._as_sqlite, self._as_postgresql = Now.as_sqlite, Now.as_postgresql

    def begin(self) -> None:
        self._traveler = self._travel.start()
        self.move_to(dt.datetime.now(dt.UTC))
        self._let_now_give(self._corrected(SQLITE), self._corrected(POSTGRESQL))

    def move_to(self, moment: dt.datetime) -> None:
        """It is this moment now, and time goes on from there."""
        self._traveler.move_to(moment)
        self.ahead = moment.timestamp() - time_machine.escape_hatch.time.time()

    def end(self) -> None:
        self._let_now_give(self._as_sqlite, self._as_postgresql)
        self._travel.stop()

    def _let_now_give(self, as_sqlite: Callable[..., Any], as_postgresql: Callable[..., Any]) -> None:
        setattr(Now, "as_sqlite", as_sqlite)  # noqa: B010 - type checkers refuse to replace a method
        setattr(Now, "as_postgresql", as_postgresql)  # noqa: B010

    def _corrected(self, template: str) -> Callable[..., Any]:
        def as_sql(now: Now, compiler: Any, connection: Any, **context: Any) -> Any:
            return now.as_sql(compiler, connection, template=template.format(self.ahead), **context)

        return as_sql

"""The moment at which a test run takes place: the real one, or the one named by `--at`.

From that one place all of it takes the time: the tests, the product, the sandbox, and the database's own `Now()`. Every
test begins at the moment anew and goes on from there as time does. Waits of threads are not touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import time_machine
from django.db.models.functions import Now

SQLITE = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW', '{:+.3f} seconds')"
POSTGRESQL = "(STATEMENT_TIMESTAMP() + INTERVAL '{:.6f} seconds')"


def moment(text: str) -> dt.datetime:
    """What `--at` means: UTC, unless it says otherwise. Raises ValueError."""
    told = dt.datetime.fromisoformat(text)
    return told if told.tzinfo else told.replace(tzinfo=dt.UTC)


class Journey:
    """A run that takes place at another moment, from `begin` to `end`; `again` goes back to the moment."""

    def __init__(self, destination: dt.datetime) -> None:
        self.destination, self.ahead = destination, 0.0
        self._travel = time_machine.travel(destination, tick=True)
        self._as_sqlite, self._as_postgresql = Now.as_sqlite, Now.as_postgresql

    def begin(self) -> None:
        self._traveler = self._travel.start()
        # A server's clock cannot be moved, and SQLite asks the system: what they say is corrected on its way.
        Now.as_sqlite = self._corrected(SQLITE)
        Now.as_postgresql = self._corrected(POSTGRESQL)
        self.again()

    def again(self) -> None:
        self._traveler.move_to(self.destination)
        self.ahead = self.destination.timestamp() - time_machine.escape_hatch.time.time()

    def end(self) -> None:
        Now.as_sqlite, Now.as_postgresql = self._as_sqlite, self._as_postgresql
        self._travel.stop()

    def _corrected(self, template: str) -> Callable[..., Any]:
        def as_sql(now: Now, compiler: Any, connection: Any, **context: Any) -> Any:
            return now.as_sql(compiler, connection, template=template.format(self.ahead), **context)

        return as_sql

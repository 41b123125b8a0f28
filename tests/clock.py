"""The moment at which a test run takes place: the real one, or the one named by `--at`.

From that one place all of it takes the time: the tests, the product, the sandbox, and the database's own `Now()`. Every
test begins at the moment anew and goes on from there as time does. Waits of threads are not touched.
"""

from __future__ import annotations

import datetime as dt

from samsaas.lib.moved_clock import MovedClock


def moment(text: str) -> dt.datetime:
    """What `--at` means: UTC, unless it says otherwise. Raises ValueError."""
    told = dt.datetime.fromisoformat(text)
    return told if told.tzinfo else told.replace(tzinfo=dt.UTC)


class Journey(MovedClock):
    """A run that takes place at another moment, from `begin` to `end`; `again` goes back to the moment."""

    def __init__(self, destination: dt.datetime) -> None:
        super().__init__()
        self.destination = destination

    def begin(self) -> None:
        super().begin()
        self.again()

    def again(self) -> None:
        self.move_to(self.destination)

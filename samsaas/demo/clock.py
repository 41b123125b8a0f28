"""The demo's clock: *a day later* and *a week later*, for the product and the sandbox, which share its process.

How many days it is ahead is kept in a file, so that the next start goes on from there. It is never set back.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.contrib.sessions.models import Session
from django.db.models import F

from profiles.models import JobRun

STEPS = {1: "A day later", 7: "A week later"}


class RunAtWork(Exception):
    """A run is under way. The jump would look to it like a worker that died."""


class DemoClock:
    """Moves the clock of this process. Only the demo makes one; `running()` finds it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._left: float | None = None  # how far ahead it was when a visit began

    def begin(self) -> None:
        """From here on the time is as far ahead as the file says."""
        global _running  # noqa: PLW0603 - there is one clock in a process
        from samsaas.lib.moved_clock import MovedClock  # noqa: PLC0415 - takes a tenth of every start to load

        self._clock, self._kept = MovedClock(), 0
        self._clock.begin()
        self._go_on(int(self.file.read_text()) if self.file.exists() else 0)
        _running = self

    def end(self) -> None:
        """Back to the machine's time. The file stays."""
        global _running  # noqa: PLW0603 - there is one clock in a process
        self._clock.end()
        _running = None

    def visit(self, moment: dt.datetime) -> None:
        """It is that moment until `come_back`, which may be long ago: for recording what happened then."""
        if self._left is None:
            self._left = self._clock.ahead
        self._clock.move_to(moment)

    def come_back(self) -> None:
        """Time has gone on meanwhile."""
        if self._left is not None:
            self._clock.move_to(self._clock.machine_time() + dt.timedelta(seconds=self._left))
            self._left = None

    @property
    def days_ahead(self) -> int:
        """How many days it has been moved on in all."""
        return self._kept

    def move_on(self, days: int) -> None:
        """It is so many days later. Open sessions stay open. Raises `RunAtWork`."""
        if JobRun.objects.under_way().exists():
            raise RunAtWork
        draft = self.file.with_suffix(".draft")
        draft.write_text(f"{self._kept + days}\n")
        draft.replace(self.file)
        self._go_on(days)
        Session.objects.update(expire_date=F("expire_date") + dt.timedelta(days=days))

    def _go_on(self, days: int) -> None:
        self._kept += days
        self._clock.move_to(dt.datetime.now(dt.UTC) + dt.timedelta(days=days))


_running: DemoClock | None = None


def running() -> DemoClock | None:
    """The clock of this process; None unless it is the demo."""
    return _running

"""A claimed run in the hands of its verb: its lease, its progress, its connector, and the ways it can end."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import F
from django.db.models.functions import Now

from profiles.connection import credentials
from profiles.connectors import base
from profiles.models import JobRun

WAIT_SLICE_SECONDS = 2.0
# The pauses of a run that nobody waits for while the vendor is in trouble, one after the other; then the run fails.
OTHERS_FIRST = timedelta(minutes=1)
OUTAGE_PAUSES = [timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120)]


FORMAT_CHANGED = "The vendor changed the format of its answers: the same unreadable answer came each time."
FORMAT_CHANGED_REMEDY = (
    "Nothing was changed. Look for a newer version of this application, or report the answer below; the old data stays "
    "as it was."
)


class LeaseLost(Exception):
    """Another worker owns the run, or its profile is gone: stop without writing anything more."""


class Canceled(Exception):
    """A person asked the run to stop."""


class MakeWay(Exception):
    """The run lets others go first: it goes back into the queue for a minute. The text says for whom."""


class Held(Exception):
    """The run stored what is safe to store; the rest waits for a person. The text says why and what to do."""


class Verb(Protocol):
    def __call__(self, job: Job, *, now: datetime) -> None: ...


class Job:
    """A claimed run, handed to a verb: its row, its progress, its connector and its lease."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self._earlier_workers = base.Counters(retries=run.retries, throttled_seconds=run.throttled_seconds)
        self._vendor_counters = [self._earlier_workers]
        self.items_to_show: int | None = None

    def leased_row(self) -> Any:
        """The run's row, as long as this worker holds its lease."""
        return JobRun.objects.filter(
            pk=self.run.pk, owner=self.run.owner, generation=self.run.generation, state=JobRun.State.RUNNING
        )

    def _write_row(self, **changes: Any) -> None:
        changes |= self._vendor_costs()
        if not self.leased_row().filter(cancel_requested=False).update(heartbeat_at=Now(), **changes):
            self._raise_reason()

    def _raise_reason(self) -> None:
        """Say why the row could not be written."""
        if self.leased_row().exists():
            raise Canceled
        raise LeaseLost(f"Another worker has taken run {self.run.pk}, or its profile was deleted.")

    def _vendor_costs(self) -> dict[str, Any]:
        """Repeated calls, and seconds waited for the vendor's sake, of this worker and of the earlier ones together."""
        costs = ("retries", "throttled_seconds")
        return {name: sum(getattr(one, name) for one in self._vendor_counters) for name in costs}

    def fence(self) -> None:
        """Raise `LeaseLost` or `Canceled` unless this worker still holds the lease. Call it last in a transaction."""
        self._write_row()

    def progress(self, *, expected: int | None = None, **changes: Any) -> None:
        """Store how far the run is: cursor, pages, items, step, counters, facts; `expected` items at the end.

        A cursor is as old as this moment, unless `cursor_at` says since when it is known.
        Raises `LeaseLost` or `Canceled`; inside a transaction that undoes the work it belongs to.
        """
        changes = {key: value for key, value in changes.items() if value is not None}
        if expected is not None:
            changes["expected_items"] = expected
        now = {"cursor_at": Now()} if "cursor" in changes else {}
        self._write_row(**{**now, **changes})
        for key, value in changes.items():
            setattr(self.run, key, value)

    def show_progress(self, items: int) -> None:
        """Report progress from inside an open transaction.

        The heartbeat writes it, because our own writes are invisible until commit. SQLite lets nobody else write
        meanwhile, so there the number shows at the end. Raises `LeaseLost` or `Canceled`.
        """
        self.items_to_show = items
        if not self.leased_row().filter(cancel_requested=False).exists():
            self._raise_reason()

    def warn(self, text: str) -> None:
        """Add a sentence to the run's warnings; they are shown on its page."""
        self.run.warnings = [*self.run.warnings, text[:500]]
        self._write_row(warnings=self.run.warnings)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep because the vendor asked for it, in slices, so that a run that is canceled stops waiting."""
        until = time.monotonic() + seconds
        self.progress(step=f"{reason} ({seconds:.0f} s)"[:120])
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, WAIT_SLICE_SECONDS))
            self.fence()

    def connector(self, purpose: str = base.SUBSCRIPTIONS) -> base.Connector:
        """The profile's connector; while it waits, it keeps the lease. Raises `Reconnect` without a usable token."""
        if self.run.profile is None:
            raise LeaseLost("The profile is gone.")
        opened = credentials.open_connector(self.run.profile, purpose, wait=self.wait)
        self._vendor_counters.append(opened.counters)
        return opened

    def close(self, state: JobRun.State, **changes: Any) -> None:
        """End the run inside the transaction that holds its work, so that both are committed or neither is.

        Raises `LeaseLost` or `Canceled`, which undoes the work.
        """
        self.fence()
        self.finish(state, **changes)

    def finish(self, state: JobRun.State, **changes: Any) -> bool:
        """Write how the run ended. False where the lease was lost; then whoever took it decides."""
        changes |= {"state": state, "owner": "", "step": "", **self._vendor_costs()}
        return bool(self.leased_row().update(finished_at=Now(), heartbeat_at=Now(), **changes))

    def requeue(self, pause: timedelta, step: str, **changes: Any) -> None:
        """Put the run back into the queue for the time of the pause, with its cursor. A canceled run ends instead.

        The attempt does not count, unless `changes` say so.
        """
        values = {
            "state": JobRun.State.QUEUED,
            "owner": "",
            "step": step,
            "not_before": Now() + pause,
            "rung_at": None,
            "attempts": F("attempts") - 1,
            **self._vendor_costs(),
            **changes,
        }
        moved = self.leased_row().filter(cancel_requested=False).update(**values)
        if not moved:
            self.finish(JobRun.State.CANCELED)

    def requeue_behind(self, others: MakeWay) -> None:
        """Put the run back into the queue, so that the others get the vendor for themselves."""
        self.requeue(OTHERS_FIRST, str(others))

    def requeue_throttled(self, seconds: float) -> None:
        """Put the run back into the queue for as long as the vendor asks."""
        self._earlier_workers.throttled_seconds += seconds
        self.requeue(timedelta(seconds=seconds), "Waiting for the vendor's rate limit")

    def requeue_after_outage(self, error: base.TryLater | base.UnreadableAnswer) -> bool:
        """Put the run back into the queue until the outage may be over, or the vendor answers readably again.

        False where a person waits for the run, its process does not wait, or all pauses are used up.
        """
        run = self.run
        waits = run.declared.survives_outages and run.trigger != JobRun.Trigger.MANUAL
        if not waits or run.outages == len(OUTAGE_PAUSES):
            return False
        request_id = f" (request id {error.failure.request_id})" if error.failure.request_id else ""
        warnings = [*run.warnings, f"{error}{request_id} The run goes on later."[:500]]
        self.requeue(
            OUTAGE_PAUSES[run.outages],
            "The vendor or the network is in trouble; the run goes on later",
            outages=F("outages") + 1,
            unreadable=self._form_each_time(error),
            warnings=warnings,
        )
        return True

    def _form_each_time(self, error: base.ConnectorError) -> str:
        """The form of the unreadable answer, if every try of this run so far met it; empty otherwise."""
        form = error.fingerprint if isinstance(error, base.UnreadableAnswer) else ""
        return form if not self.run.outages or self.run.unreadable == form else ""

    def final_error(self, error: base.ConnectorError) -> base.ConnectorError:
        """The error of a run that is not tried again.

        An unreadable answer that came the same way each time, hours apart, means that the vendor changed its format.
        """
        if not isinstance(error, base.UnreadableAnswer):
            return error
        if not self.run.outages:
            return base.ProtocolError(str(error), failure=error.failure, remedy=error.remedy)
        if self._form_each_time(error):
            return base.ProtocolError(f"{FORMAT_CHANGED} {error}", failure=error.failure, remedy=FORMAT_CHANGED_REMEDY)
        return base.TryLater(str(error), failure=error.failure)

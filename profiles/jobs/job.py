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
REFRESHING = (base.DOWNLOAD, base.MATCH, base.ACTIVITY)
# How long a refresh that nobody watches stays away from a vendor in trouble, time after time; then it fails.
OUTAGE_PAUSES = [timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120)]


class LeaseLost(Exception):
    """Another worker owns the run, or its profile is gone: stop without writing anything more."""


class Canceled(Exception):
    """A person asked the run to stop."""


class Held(Exception):
    """The safe part is stored; the rest waits for a person. The text says why and what to do."""


class Verb(Protocol):
    def __call__(self, job: Job, *, now: datetime) -> None: ...


class Job:
    """A claimed run, handed to a verb: its row, its progress, its connector and its lease."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self._before = base.Counters(retries=run.retries, throttled_seconds=run.throttled_seconds)
        self._counted = [self._before]
        self.told: int | None = None

    def _mine(self) -> Any:
        return JobRun.objects.filter(
            pk=self.run.pk, owner=self.run.owner, generation=self.run.generation, state=JobRun.State.RUNNING
        )

    def _write(self, **changes: Any) -> None:
        changes |= self._met()
        if not self._mine().filter(cancel_requested=False).update(heartbeat_at=Now(), **changes):
            self._stop()

    def _stop(self) -> None:
        if self._mine().exists():
            raise Canceled
        raise LeaseLost(f"Run {self.run.pk} is no longer ours.")

    def _met(self) -> dict[str, Any]:
        """Repeats and seconds of waiting that the vendor cost so far, those of earlier workers included."""
        return {name: sum(getattr(one, name) for one in self._counted) for name in ("retries", "throttled_seconds")}

    def fence(self) -> None:
        """Raises `LeaseLost` or `Canceled` unless the run is still ours; call it last inside a transaction."""
        self._write()

    def progress(self, *, expected: int | None = None, **changes: Any) -> None:
        """Store progress (cursor, pages, items, step, counters, facts; `expected` members).

        Raises `LeaseLost` or `Canceled`; inside a transaction that undoes the work it belongs to.
        """
        changes = {key: value for key, value in changes.items() if value is not None}
        if expected is not None:
            changes["expected_items"] = expected
        if "cursor" in changes:
            self._write(cursor_at=Now(), **changes)
        else:
            self._write(**changes)
        for key, value in changes.items():
            setattr(self.run, key, value)

    def tell(self, items: int) -> None:
        """How many items an open transaction has done so far, for the heartbeat to show: written by the transaction
        itself it would be seen at its end only. Where nobody else can write meanwhile (SQLite) it is shown then.

        Raises `LeaseLost` or `Canceled`.
        """
        self.told = items
        if not self._mine().filter(cancel_requested=False).exists():
            self._stop()

    def warn(self, text: str) -> None:
        """Add a sentence to the run's warnings; they are shown on its page."""
        self.run.warnings = [*self.run.warnings, text[:500]]
        self._write(warnings=self.run.warnings)

    def wait(self, seconds: float, reason: str) -> None:
        """Sleep for the vendor's sake in slices, so that a canceled run stops waiting."""
        until = time.monotonic() + seconds
        self.progress(step=f"{reason} ({seconds:.0f} s)"[:120])
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, WAIT_SLICE_SECONDS))
            self.fence()

    def connector(self, purpose: str = base.SUBSCRIPTIONS) -> base.Connector:
        """The profile's connector, waiting with this run's lease. Raises `Reconnect` without a usable token."""
        if self.run.profile is None:
            raise LeaseLost("The profile is gone.")
        opened = credentials.open_connector(self.run.profile, purpose, wait=self.wait)
        self._counted.append(opened.counters)
        return opened

    def close(self, state: JobRun.State, **changes: Any) -> None:
        """End the run inside the transaction that holds its work: neither is ever there without the other.

        Raises `LeaseLost` or `Canceled`, which undoes the work.
        """
        self.fence()
        self.finish(state, **changes)

    def finish(self, state: JobRun.State, **changes: Any) -> bool:
        """The last write of this run. False where the lease was lost: whoever took it has the last word."""
        changes |= {"state": state, "owner": "", "step": "", **self._met()}
        return bool(self._mine().update(finished_at=Now(), heartbeat_at=Now(), **changes))

    def requeue(self, pause: timedelta, step: str, **changes: Any) -> None:
        """Back into the queue with the cursor kept, until the pause is over. A run that was canceled ends instead."""
        moved = (
            self._mine()
            .filter(cancel_requested=False)
            .update(
                state=JobRun.State.QUEUED,
                owner="",
                step=step,
                not_before=Now() + pause,
                rung_at=None,
                attempts=F("attempts") - 1,
                **{**self._met(), **changes},
            )
        )
        if not moved:
            self.finish(JobRun.State.CANCELED)

    def throttled(self, seconds: float) -> None:
        """Wait in the queue for as long as the vendor asks."""
        self._before.throttled_seconds += seconds
        self.requeue(timedelta(seconds=seconds), "Waiting for the vendor's rate limit")

    def stay_away(self, error: base.TryLater) -> bool:
        """Wait in the queue for the end of an outage. False where a person waits for the run, or it waited enough."""
        run = self.run
        if run.process not in REFRESHING or run.trigger == JobRun.Trigger.MANUAL or run.outages == len(OUTAGE_PAUSES):
            return False
        request_id = f" (request id {error.failure.request_id})" if error.failure.request_id else ""
        warnings = [*run.warnings, f"{error}{request_id} The run goes on later."[:500]]
        self.requeue(
            OUTAGE_PAUSES[run.outages],
            "The vendor or the network is in trouble; the run goes on later",
            outages=F("outages") + 1,
            warnings=warnings,
        )
        return True

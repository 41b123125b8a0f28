"""What the beat starts by itself, how often: tasks of `samsaas.schedule`, which decide in the database what is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple


class Tick(NamedTuple):
    """A task. `expires` is in seconds: a tick that waited in the broker is worthless, the next does the same work."""

    name: str
    task: str
    every: timedelta
    expires: int


TICKS = (
    Tick("Sweep job runs", "sweep", timedelta(seconds=10), expires=60),
    Tick("Go on with removals", "sweep_removals", timedelta(minutes=1), expires=60),
    Tick("Count seats", "count_seats", timedelta(seconds=10), expires=30),
    Tick("Start due refreshes", "start_due", timedelta(minutes=1), expires=60),
    Tick("Fetch people", "fetch_people", timedelta(minutes=1), expires=60),
    Tick("Start due reconciliation", "start_reconciliation", timedelta(minutes=1), expires=60),
    Tick("Seal the audit trail", "seal_audit", timedelta(minutes=1), expires=60),
    Tick("Send mails", "send_mails", timedelta(minutes=1), expires=60),
    Tick("Tell of events", "tell_of_events", timedelta(minutes=1), expires=60),
    Tick("Remind of renewals", "remind_of_renewals", timedelta(minutes=1), expires=60),
    Tick("Go on with what people were asked", "sweep_asking", timedelta(minutes=1), expires=60),
    # Often enough for an installation that is started anew every day.
    Tick("Purge what is over", "purge", timedelta(hours=1), expires=600),
)


def schedule() -> dict[str, dict[str, Any]]:
    """The value of `CELERY_BEAT_SCHEDULE`."""
    return {
        tick.name: {
            "task": f"samsaas.schedule.{tick.task}",
            "schedule": tick.every,
            "options": {"expires": tick.expires},
        }
        for tick in TICKS
    }

"""`celery -A tests.faults.killed.worker worker`: the product's worker, which kills itself where a folder of files says.

Each file of the folder KILL_POINTS names a place. Whoever takes a file away dies there, so every place kills once.
Where the product waits for minutes, this worker waits for a second or two; what it does is the product's own.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django has to be ready

from profiles.connectors.dropbox.connector import Dropbox  # noqa: E402
from reclamation import attempts, workflow  # noqa: E402
from reclamation.models import RemovalAttempt  # noqa: E402
from reclamation.removal import call, move, reclaim, restore, settle  # noqa: E402
from samsaas import outbox  # noqa: E402
from samsaas.celery import app  # noqa: E402
from samsaas.lib.mail import Postman  # noqa: E402
from tests.faults.killed.points import WITH_PARENT  # noqa: E402

__all__ = ["app"]

POINTS = Path(os.environ["KILL_POINTS"])
SECOND = timedelta(seconds=1)


def die_at(point: str) -> None:
    """Die here if this place has not killed anybody yet."""
    try:
        (POINTS / point).unlink()
    except FileNotFoundError:
        return
    if point in WITH_PARENT:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(name_of: Callable[..., str], real: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with a place to die before and one after it."""

    @functools.wraps(real)
    def run(*given: Any, **named: Any) -> Any:
        name = name_of(*given, **named)
        die_at(f"before {name}")
        result = real(*given, **named)
        die_at(f"after {name}")
        return result

    return run


def name_write(attempt: RemovalAttempt, **changes: Any) -> str:
    return f"{attempt.state}>{changes['state']}" if "state" in changes else "note"


def name_move(candidate: Any, to: str, **more: Any) -> str:
    return f"{candidate.state}>{to}"


attempts._write = deadly(name_write, attempts._write)
workflow._move_to = deadly(name_move, workflow._move_to)
for verb in ("withdraw", "restore", "finish"):
    setattr(Dropbox, verb, deadly(lambda *given, _verb=verb, **named: _verb, getattr(Dropbox, verb)))
Postman.deliver = deadly(lambda *given: "deliver", Postman.deliver)  # type: ignore[method-assign]

settings.JOB_STALE_SECONDS = 3
attempts.LEASE = outbox.LEASE = 4 * SECOND
call.QUARANTINE = call.TRY_AGAIN = 2 * SECOND
settle.BETWEEN_LOOKS = settle.POLL_AGAIN = restore.LOOK_AFTER = SECOND
move.AFTER_JOB = move.HOLD = reclaim.AFTER_ERROR = reclaim.HOLD_TIME = 2 * SECOND
move.POLL_AGAIN = move.SLOT_BUSY = SECOND
move.PATIENCE = 20 * SECOND  # then it is a person's, whether files were moved: nobody calls for that twice

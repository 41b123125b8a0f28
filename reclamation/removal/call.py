"""The one call that removes a member.

1. Commit the intent: the gate's answers, what is going to be sent, and that it is being called. The switch and the
   limits are read once more in that transaction, in which no other removal can begin.
2. Too late: the answers are older than five seconds, so nothing is sent.
3. Call the vendor once, outside any transaction.
4. Store what came of it. Without a clear answer the attempt is *unknown*, and nothing but looks follows from there.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.models import JobRun
from reclamation import attempts, workflow
from reclamation.models import RemovalAttempt
from reclamation.removal import batches, limits, outcome, refusals, switch
from reclamation.removal.gate import stored
from reclamation.removal.gate.answers import GateResult
from reclamation.removal.gate.case import Case
from reclamation.removal.vendor import VendorAccess

State = RemovalAttempt.State
FRESH = timedelta(seconds=5)
MOST_TRIES = 5
TRY_AGAIN = timedelta(minutes=2)
QUARANTINE = timedelta(minutes=30)
FIRST_POLL = timedelta(seconds=3)
TOO_OFTEN = "The vendor put the removal off too often."


class Stopped(Exception):
    """The removal did not begin: the switch was pressed, the limits are used up, or the answers are too old."""


def run(case: Case, passed: GateResult, vendor: VendorAccess, run: JobRun) -> None:
    """Remove the member of a case that has just passed the gate. Raises `attempts.Lost` and `Stopped`."""
    attempt = case.attempt
    asked = case.asked
    if asked is None or not passed.is_pass:
        raise Stopped("The gate has not been passed.")
    before = attempt.called_at
    _commit_intent(case, passed)
    if not is_fresh(asked.began_at, timezone.now()):
        attempts.move(attempt, State.GATED, keep=True, called_at=before)
        raise Stopped("The vendor’s answers were too old by the time of the call.")
    try:
        effect = vendor.acting.withdraw(attempt.external_id, **_arguments(case))
    except base.ConnectorError as error:
        store_failure(attempt, error, vendor, run, called_before=before)
    else:
        store_effect(attempt, effect, run)


def is_fresh(began_at: datetime, now: datetime) -> bool:
    """Whether answers that were asked for then may still be acted on. A clock that was set back makes them old."""
    return timedelta(0) <= now - began_at <= FRESH


def _commit_intent(case: Case, passed: GateResult) -> None:
    attempt, arguments = case.attempt, _arguments(case)
    with transaction.atomic():
        paused = switch.paused_because(case.profile, lock=True)
        now = timezone.now()
        if paused:
            raise Stopped(paused)
        if batches.is_stopped(attempt) or not _within_limits(case, now):
            raise Stopped("The limits are used up, or the batch waits for a second person.")
        looked_at = case.asked.looked_at if case.asked else now
        attempts.move(
            attempt,
            State.CALLING,
            keep=True,
            gate_at_call=list(passed.answers),
            intent_at=now,
            called_at=now,
            fingerprint=fingerprint(attempt.external_id, arguments),
            destination_external_id=arguments.get("destination", ""),
            transfer_admin_external_id=arguments.get("transfer_admin", ""),
            check_to_call_ms=max(0, round((now - looked_at).total_seconds() * 1000)),
            async_job_id="",
            **attempts.NO_ERROR,
        )
        workflow.hold(attempt.candidate, code="", text="")


def _within_limits(case: Case, now: datetime) -> bool:
    figures = limits.figures_for(case.profile, now=now).beside(case.attempt, now=now)
    return figures.let_through(approved=stored.is_approved(case.batch))


def _arguments(case: Case) -> dict[str, Any]:
    """What the call says besides whom. Files go with it only where nothing can be undone."""
    arguments: dict[str, Any] = {"wipe": case.rule.wipe_devices}
    if not case.rule.undo_days and not case.is_invitation:
        arguments |= {"destination": case.where_to.external_id, "transfer_admin": case.where_to.transfer_admin}
    return arguments


def fingerprint(external_id: str, arguments: dict[str, Any]) -> str:
    """The SHA-256 of what is going to be sent."""
    return hashlib.sha256(json.dumps(["withdraw", external_id, arguments], sort_keys=True).encode()).hexdigest()


def store_effect(attempt: RemovalAttempt, effect: base.Effect, run: JobRun) -> None:
    """The vendor took the call. Raises `attempts.Lost`."""
    now = timezone.now()
    named: dict[str, Any] = {"answered_at": now, "withdraw_request_id": effect.request_id[:120]}
    if effect.state == "done":
        attempts.note(attempt, error_request_id="", **named)
        outcome.record_removed(attempt, run=run, at=now)
        return
    attempts.move(attempt, State.JOB, async_job_id=effect.job[:255], not_before=now + FIRST_POLL, **named)


def store_failure(
    attempt: RemovalAttempt,
    error: base.ConnectorError,
    vendor: VendorAccess,
    run: JobRun,
    *,
    called_before: datetime | None,
) -> None:
    """The call failed: whether it may have had an effect decides what follows. Raises `attempts.Lost`.

    `called_before` is the attempt's call before this one, whose answer was lost. It counts where this one does not.
    """
    now = timezone.now()
    if isinstance(error, refusals.LOST):
        attempts.move(attempt, State.UNKNOWN, not_before=now + QUARANTINE, **attempts.describe_error(error))
    elif isinstance(error, base.Refused):
        _store_refusal(attempt, error, vendor, run, now, called_before)
    elif isinstance(error, base.MissingScope | base.ProtocolError):  # refused as a call that must not be sent
        need_human(attempt, error, now)
    else:  # nothing was sent, or the vendor did not begin
        wait = getattr(error, "retry_after", None)
        pause = timedelta(seconds=wait) if wait else _longer_each_time(attempt)
        put_off(attempt, error, now, pause, called_before)


def _store_refusal(
    attempt: RemovalAttempt,
    error: base.Refused,
    vendor: VendorAccess,
    run: JobRun,
    now: datetime,
    called_before: datetime | None,
) -> None:
    meaning = refusals.meaning_of(error)
    if meaning == refusals.BUSY:
        put_off(attempt, error, now, _longer_each_time(attempt), called_before)
    elif meaning == refusals.GONE and _is_gone(attempt, vendor):
        outcome.record_elsewhere(attempt, run=run, at=now)
    else:
        need_human(attempt, error, now)


def _is_gone(attempt: RemovalAttempt, vendor: VendorAccess) -> bool:
    look = vendor.look([attempt.external_id]).get(attempt.external_id)
    return look is not None and look.state in ("withdrawn", "gone")


def _longer_each_time(attempt: RemovalAttempt) -> timedelta:
    """Two minutes, then four times as long each time, up to half a day: a transfer of files may take hours."""
    return TRY_AGAIN * 4**attempt.tries


def put_off(
    attempt: RemovalAttempt,
    error: base.ConnectorError,
    now: datetime,
    pause: timedelta,
    called_before: datetime | None,
) -> None:
    """Nothing happened: the whole gate again, later, at most five times. Raises `attempts.Lost`."""
    if attempt.tries >= MOST_TRIES:
        need_human(attempt, base.Refused(f"{TOO_OFTEN} {error}", failure=error.failure, remedy=error.remedy), now)
        return
    changes: dict[str, Any] = {"tries": attempt.tries + 1, "not_before": now + pause, "called_at": called_before}
    attempts.move(attempt, State.GATED, **changes, **attempts.describe_error(error))


def need_human(attempt: RemovalAttempt, error: base.ConnectorError, now: datetime, kind: str = "") -> None:
    """A person has to decide. The candidate says so as well. Raises `attempts.Lost`."""
    with transaction.atomic():
        attempts.move(attempt, State.NEEDS_HUMAN, not_before=None, **attempts.describe_error(error, kind))
        workflow.need_attention(attempt.candidate, reason=str(error), now=now)

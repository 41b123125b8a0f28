"""Find out what became of calls: poll the vendor's jobs, and look at members of whom nobody knows.

An attempt that a dead worker left in *calling* is *unknown*: nobody sends its call again. After half an hour samsaas
looks twice, five minutes apart. Removed: it was us. Active both times: the whole gate again, at most twice. Restored or
joined again since: left alone. No answer in 24 hours: a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.models import JobRun
from reclamation import attempts
from reclamation.models import RemovalAttempt
from reclamation.removal import call, outcome
from reclamation.removal.vendor import VendorAccess, since_when_back

State = RemovalAttempt.State
BETWEEN_LOOKS = timedelta(minutes=5)
MOST_REPEATS = 2
PATIENCE = timedelta(hours=24)
JOB_PATIENCE = timedelta(hours=1)
POLL_AGAIN = timedelta(seconds=15)
LOST = base.AnswerLost("The worker that called the vendor was lost, so its answer is not known.")
NO_ANSWER = "Nobody knows after 24 hours whether the member was removed."
NO_ANSWER_REMEDY = "Look at the member in the vendor’s console. Then decide here: try again, or close it by hand."
STILL_ACTIVE = "The vendor was asked to remove the member several times, and it is still active."


def abandon_dead_calls() -> int:
    """Make every call whose worker is gone *unknown*. Returns how many."""
    now, found = timezone.now(), 0
    dead = RemovalAttempt.objects.filter(state=State.CALLING, lease_until__lt=Now())
    for pk in dead.values_list("pk", flat=True):
        if attempt := attempts.take(pk, State.CALLING, now=now):
            changes = {"not_before": now + call.QUARANTINE, **attempts.describe_error(LOST)}
            attempts.move(attempt, State.UNKNOWN, **changes)
            found += 1
    return found


def poll_job(attempt: RemovalAttempt, vendor: VendorAccess, run: JobRun) -> None:
    """Ask how far the vendor's job is. One that does not end, or that failed, is *unknown*. Raises `attempts.Lost`."""
    try:
        effect = vendor.acting.ask("withdraw", attempt.async_job_id)
    except (base.AnswerLost, base.Refused, base.ProtocolError) as error:  # the vendor lost the job: only looks tell
        changes = {"not_before": timezone.now() + call.QUARANTINE, "async_job_id": ""}
        attempts.move(attempt, State.UNKNOWN, keep=False, **changes, **attempts.describe_error(error))
        return
    except base.ConnectorError:
        attempts.release(attempt, not_before=timezone.now() + POLL_AGAIN)
        raise
    now = timezone.now()
    if effect.state == "done":
        outcome.record_removed(attempt, run=run, at=now)
    elif attempt.called_at and now - attempt.called_at > JOB_PATIENCE:
        attempts.move(attempt, State.UNKNOWN, not_before=now)
    else:
        attempts.release(attempt, not_before=now + _next_poll(attempt, now))


def _next_poll(attempt: RemovalAttempt, now: datetime) -> timedelta:
    """Three seconds after the call, then twice as late each time, up to a minute."""
    waited = now - attempt.called_at if attempt.called_at else timedelta(0)
    return min(max(waited, call.FIRST_POLL), timedelta(minutes=1))


def look_at_unknown(attempt: RemovalAttempt, vendor: VendorAccess, run: JobRun) -> None:
    """Look at a member of whom nobody knows whether it was removed. Raises `attempts.Lost`."""
    try:
        found = vendor.look([attempt.external_id]).get(attempt.external_id)
        working = bool(attempt.async_job_id) and _still_works(attempt, vendor)
        back = attempt.external_id in vendor.looking.returned([attempt.external_id], since_when_back(attempt))
    except base.ConnectorError as error:
        _wait_or_give_up(attempt, timezone.now())
        raise error
    now = timezone.now()
    state = found.state if found else "unknown"
    request_id = found.request_id if found else ""
    look = {"at": now.isoformat(), "state": state, "request_id": request_id, "call": _mark_of_call(attempt)}
    attempts.note(attempt, looks=[*attempt.looks, look])
    if state in ("withdrawn", "gone"):
        undoable = found.undoable if found and state == "withdrawn" else False
        outcome.record_removed(attempt, run=run, at=now, undoable=undoable)
    elif state == "present" and (back or _joined_since(attempt, found)):
        outcome.record_came_back(attempt, at=now)
    elif state != "present" or working:
        _wait_or_give_up(attempt, now)
    elif len(_looks_since_call(attempt)) < 2:
        attempts.release(attempt, not_before=now + BETWEEN_LOOKS)
    else:
        _try_again(attempt, now)


def _still_works(attempt: RemovalAttempt, vendor: VendorAccess) -> bool:
    try:
        return vendor.acting.ask("withdraw", attempt.async_job_id).state == "working"
    except (base.AnswerLost, base.Refused, base.ProtocolError):
        return False


def _joined_since(attempt: RemovalAttempt, look: base.Look | None) -> bool:
    """Whether the member joined the team after our call, so that it is not the one that was to be removed."""
    joined = look.seat.assigned_at if look and look.seat else None
    return bool(joined and attempt.intent_at and joined > since_when_back(attempt))


def _looks_since_call(attempt: RemovalAttempt) -> list[dict[str, Any]]:
    """The looks after the last call that said *present*. They name their call: clocks of workers are no order."""
    mark = _mark_of_call(attempt)
    return [look for look in attempt.looks if look["state"] == "present" and look.get("call") == mark]


def _mark_of_call(attempt: RemovalAttempt) -> str:
    return attempt.intent_at.isoformat() if attempt.intent_at else ""


def _try_again(attempt: RemovalAttempt, now: datetime) -> None:
    """The call had no effect, as far as one can see. The whole gate again, at most twice; then a person.

    It still counts for the limits: no look proves that an answer that was lost will never come true.
    """
    repeats = sum(1 for look in attempt.looks if look.get("again"))
    if repeats >= MOST_REPEATS:
        call.need_human(attempt, base.Refused(STILL_ACTIVE, remedy=NO_ANSWER_REMEDY), now)
        return
    looks = [*attempt.looks[:-1], {**attempt.looks[-1], "again": True}]
    attempts.move(attempt, State.GATED, looks=looks, not_before=None, async_job_id="")


def _wait_or_give_up(attempt: RemovalAttempt, now: datetime) -> None:
    since = attempt.called_at or attempt.intent_at or attempt.opened_at
    if now - since > PATIENCE:
        error = base.AnswerLost(NO_ANSWER, remedy=NO_ANSWER_REMEDY)
        with transaction.atomic():
            call.need_human(attempt, error, now)
        return
    attempts.release(attempt, not_before=now + BETWEEN_LOOKS)

"""What a person decides about an attempt that needs one, after a fresh look at the member.

The look is asked for by a person and made by a run. A decision counts on a look that is at most fifteen minutes old.
A removal that waits can be closed as complete in the same way, where the look says that the member is gone already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from reclamation import attempts, workflow
from reclamation.models import CandidateNote, RemovalAttempt
from reclamation.removal import move, outcome, start
from reclamation.removal.vendor import VendorAccess
from samsaas import audit

State = RemovalAttempt.State
FRESH = timedelta(minutes=15)
WANTED = "wanted"  # instead of what a look said: a run has to make it before it asks the gate


class DecisionRefused(Exception):
    """The decision is not possible now. The text says why."""


def ask_look(attempt: RemovalAttempt, *, by: User, now: datetime) -> None:
    """Have a run look at the member. Raises `DecisionRefused`."""
    wanted = {"at": now.isoformat(), "state": WANTED, "for": "person"}
    waits = attempt.state in attempts.UNSENT
    _seize_in_place(attempt, not_before=now, **({"looks": [*_made(attempt), wanted]} if waits else {}))
    audit.record(by, "asked to look at account", attempt.candidate, account=attempt.external_id)
    if attempt.profile:
        start.request_run(attempt.profile, by=by)


def look(attempt: RemovalAttempt, vendor: VendorAccess) -> None:
    """Look at a member as somebody asked, and keep what the vendor says. Raises `attempts.Lost`."""
    found = vendor.look([attempt.external_id]).get(attempt.external_id)
    now = timezone.now()
    entry = {
        "at": now.isoformat(),
        "state": found.state if found else "unknown",
        "status": found.seat.status if found and found.seat else "",
        "request_id": found.request_id if found else "",
        "for": "person",
    }
    if attempt.withdrawn_at and found and move.check_restored(attempt, found):
        return
    attempts.release(attempt, not_before=None, looks=[*_made(attempt), entry])


def is_look_wanted(attempt: RemovalAttempt) -> bool:
    """Whether somebody asked for a look at a member whose removal waits."""
    return bool(attempt.looks) and attempt.looks[-1]["state"] == WANTED


def _made(attempt: RemovalAttempt) -> list[dict[str, Any]]:
    """The looks that were made."""
    return [one for one in attempt.looks if one["state"] != WANTED]


def last_look(attempt: RemovalAttempt, *, now: datetime) -> dict[str, Any] | None:
    """The last look that a person asked for, if it is fresh enough to decide on."""
    looks = [one for one in _made(attempt) if one.get("for") == "person"]
    if not looks or now - datetime.fromisoformat(looks[-1]["at"]) > FRESH:
        return None
    found: dict[str, Any] = looks[-1]
    return found


def choices(attempt: RemovalAttempt, *, now: datetime) -> tuple[str, ...]:
    """What may be decided now: of "again", "move", "restore" and "close"."""
    seen = last_look(attempt, now=now)
    if seen is None:
        return ()
    if attempt.state in attempts.UNSENT:
        return ("close",) if seen["state"] in ("withdrawn", "gone") else ()
    if attempt.state != State.NEEDS_HUMAN:
        return ()
    if seen["state"] == "present":
        return ("again",) if not attempt.withdrawn_at else ()
    if seen["state"] not in ("withdrawn", "gone"):
        return ()
    if not attempt.withdrawn_at:
        return ("close",)
    undo = attempt.restorable_until and attempt.restorable_until > now and seen["state"] == "withdrawn"
    return ("move", "restore", "close") if undo else ("move", "close")


@transaction.atomic
def try_again(attempt: RemovalAttempt, *, by: User, now: datetime) -> None:
    """The whole gate again. Raises `DecisionRefused`."""
    _check(attempt, "again", now)
    _seize(attempt, State.GATED, not_before=None, tries=0, async_job_id="", **attempts.NO_ERROR)
    workflow.revoke(attempt.candidate, reason="A person lets it be tried again.", by=by, now=now)
    if attempt.profile:
        start.request_run(attempt.profile, by=by)


@transaction.atomic
def move_to(attempt: RemovalAttempt, external_id: str, *, by: User, now: datetime) -> None:
    """Have the files moved to another account, which is looked at before. Raises `DecisionRefused`."""
    _check(attempt, "move", now)
    _seize(
        attempt,
        State.REMOVED,
        destination_external_id=external_id,
        move_after=now,
        not_before=None,
        **attempts.NO_ERROR,
    )
    reason = f"The files go to another account: {external_id}."
    workflow.revoke(attempt.candidate, reason=reason, by=by, now=now)
    audit.record(by, "chose another destination", attempt.candidate, destination=external_id)
    if attempt.profile:
        start.request_run(attempt.profile, by=by)


@transaction.atomic
def close_by_hand(attempt: RemovalAttempt, *, note: str, by: User, now: datetime) -> None:
    """The member is gone, and a person takes care of the rest: Closed Complete. Raises `DecisionRefused`."""
    _check(attempt, "close", now)
    CandidateNote.objects.create(candidate=attempt.candidate, by=by, at=now, text=note)
    try:
        outcome.close_at_word(attempt, by=by, at=now, note=note)
    except (attempts.Lost, IntegrityError):
        raise DecisionRefused("Somebody else decided first.") from None


def _check(attempt: RemovalAttempt, choice: str, now: datetime) -> None:
    if choice not in choices(attempt, now=now):
        raise DecisionRefused("Look at the account first: what was seen does not allow this, or is too old.")


def _seize(attempt: RemovalAttempt, to: str, **changes: Any) -> None:
    try:
        attempts.seize(attempt, to, **changes)
    except attempts.Lost:
        raise DecisionRefused("Somebody else decided first.") from None


def _seize_in_place(attempt: RemovalAttempt, **changes: Any) -> None:
    try:
        attempts.seize_in_place(attempt, **changes)
    except attempts.Lost:
        raise DecisionRefused("Somebody else decided first.") from None

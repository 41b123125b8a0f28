"""What follows when a member is removed, restored, or was removed by somebody else: seats, ledger, candidates.

Each function is one transaction, so that the attempt, the seats of all profiles of the team, the ledger and the
candidates agree at every moment.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from profiles.connectors import base
from profiles.models import JobRun
from reclamation import attempts, rules, workflow
from reclamation.asking import tell
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.removal import limits
from reclamation.savings import ledger
from reclamation.states import State
from samsaas import audit
from subscriptions.models import Subscription

Attempt = RemovalAttempt.State
REMOVED = "Removed by samsaas."
ELSEWHERE = "Removed at the vendor by somebody else."
RESTORED = "Restored by samsaas."
RESTORED_THERE = "Restored at the vendor."
CAME_BACK = "Restored at the vendor, or joined again, after a call whose answer was lost."
WITH_ANOTHER = "The same account was removed through another profile of the team."


@transaction.atomic
def record_removed(attempt: RemovalAttempt, *, run: JobRun, at: datetime, undoable: bool | None = None) -> None:
    """The vendor has removed the member at our word: the license is free, and the undo window begins.

    Where nothing can be undone or moved any more, the attempt ends here. Raises `attempts.Lost`.
    """
    rule, candidate, removal = rules.settings_of(attempt.candidate), attempt.candidate, _removal(attempt)
    at_once = not rule.undo_days or candidate.is_invitation
    changes: dict[str, Any] = {"withdrawn_at": at, "move_after": at + timedelta(days=rule.undo_days)}
    if not at_once and undoable is not False:
        days = removal.undo_days if removal.undo_days is not None else rule.undo_days
        changes["restorable_until"] = at + timedelta(days=days)
    if removal.frees_at == "withdraw":
        changes["freed_at"] = at
    attempts.move(attempt, Attempt.REMOVED, keep=at_once, not_before=None, **attempts.NO_ERROR, **changes)
    if removal.frees_at == "withdraw":
        _free(attempt, run=run, at=at, note="")
    audit.record(None, "removed account", candidate, account=attempt.external_id, run=run.pk)
    tell.tell_removed(attempt, at)
    if at_once:
        moved: dict[str, Any] = {} if rule.undo_days else {"moved_at": at}
        nothing = RemovalAttempt.MovedBy.NOTHING if candidate.is_invitation else ""
        finish(attempt, run=run, at=at, moved_by=nothing, **moved)


@transaction.atomic
def record_elsewhere(attempt: RemovalAttempt, *, run: JobRun, at: datetime) -> None:
    """Somebody removed the member at the vendor: the seat is free, and there is nothing to undo or to move for us.

    Raises `attempts.Lost`.
    """
    attempts.move(attempt, Attempt.CLOSED, closed_at=at, withdrawn_at=at, freed_at=at, **attempts.NO_ERROR)
    _free(attempt, run=run, at=at, note="outside")
    workflow.close(attempt.candidate, State.CLOSED_COMPLETE, reason=ELSEWHERE, by=None, now=at)


@transaction.atomic
def finish(
    attempt: RemovalAttempt, *, run: JobRun | None, at: datetime, by: User | None = None, **changes: Any
) -> None:
    """Nothing is left to do: the attempt is closed, and its candidate complete. Raises `attempts.Lost`."""
    freed = attempt.freed_at is not None
    changes = {"closed_at": at, **({} if freed else {"freed_at": at}), **changes}
    attempts.move(attempt, Attempt.CLOSED, **changes)
    if not freed:
        _free(attempt, run=run, at=at, note="")
    workflow.close(attempt.candidate, State.CLOSED_COMPLETE, reason=REMOVED, by=by, now=at)


@transaction.atomic
def close_at_word(attempt: RemovalAttempt, *, by: User, at: datetime, note: str) -> None:
    """A person saw that the member is gone and takes care of the rest. Raises `attempts.Lost`."""
    freed = attempt.freed_at is not None
    attempts.seize(attempt, Attempt.CLOSED, closed_at=at, **({} if freed else {"freed_at": at, "withdrawn_at": at}))
    if not freed:
        _free(attempt, run=None, at=at, note="by hand")
    workflow.close(attempt.candidate, State.CLOSED_COMPLETE, reason=f"Closed by hand: {note}", by=by, now=at)


@transaction.atomic
def record_restored(attempt: RemovalAttempt, *, where: str, status: str, at: datetime, by: User | None = None) -> None:
    """The member is back. Its seats are open again and protected, and the ledger takes the saving back.

    Raises `attempts.Lost`.
    """
    attempts.move(attempt, Attempt.RESTORED, restored_at=at, restored_where=where, closed_at=at, **attempts.NO_ERROR)
    seats = Subscription.objects.filter(
        profile__in=_team(attempt), external_id=attempt.external_id, ended_at=attempt.freed_at
    )
    if attempt.freed_at:
        seats.update(ended_at=None, freed_at=None, ended_by_run=None, status=status, changed_at=at)
    protect(attempt, at=at)
    ledger.add(attempt.candidate, ledger.Kind.RESTORED, on=timezone.localtime(at).date())
    if where == RemovalAttempt.RestoredWhere.HERE:
        tell.tell_restored(attempt, at)
    reason = RESTORED if where == RemovalAttempt.RestoredWhere.HERE else RESTORED_THERE
    audit.record(by, "restored account", attempt.candidate, account=attempt.external_id, where=where)
    workflow.close(attempt.candidate, State.CLOSED_SKIPPED, reason=reason, by=by, now=at)


@transaction.atomic
def record_came_back(attempt: RemovalAttempt, *, at: datetime) -> None:
    """The member was restored while nobody knew whether our call had an effect: it is left alone from now on.

    Raises `attempts.Lost`.
    """
    attempts.move(attempt, Attempt.CANCELED, closed_at=at)
    protect(attempt, at=at)
    workflow.close(attempt.candidate, State.CLOSED_SKIPPED, reason=CAME_BACK, by=None, now=at)


def protect(attempt: RemovalAttempt, *, at: datetime) -> None:
    """Note that the member's seats came back, and keep them for the cool-down or until the day a person chose."""
    today = timezone.localtime(at).date()
    until = today + timedelta(days=rules.settings_of(attempt.candidate).cool_down_days)
    seats = Subscription.objects.filter(profile__in=_team(attempt), external_id=attempt.external_id)
    seats.update(restored_at=at)
    keep(seats, until=until, today=today)


def keep(seats: Any, *, until: date, today: date) -> None:
    """Keep the seats until that day, unless a person has chosen a day that is not over."""
    seats.exclude(keep_until__gte=today).update(keep_until=until)


def _free(attempt: RemovalAttempt, *, run: JobRun | None, at: datetime, note: str) -> None:
    """End the member's seats in all profiles of the team, and note once that a license is free."""
    seats = Subscription.objects.listed().filter(profile__in=_team(attempt), external_id=attempt.external_id)
    seats.update(ended_at=at, freed_at=at, status=Subscription.Status.REMOVED, changed_at=at, ended_by_run=run)
    ledger.add(attempt.candidate, ledger.Kind.FREED, on=timezone.localtime(at).date(), note=note)
    others = RemovalCandidate.objects.open().filter(profile__in=_team(attempt), external_id=attempt.external_id)
    for other in others.exclude(pk=attempt.candidate_id).select_for_update(of=("self",)):
        pending = other.state == State.AWAITING_REVOCATION
        workflow.close(
            other, State.CLOSED_COMPLETE if pending else State.CLOSED_SKIPPED, reason=WITH_ANOTHER, by=None, now=at
        )


def _team(attempt: RemovalAttempt) -> list[Any]:
    return limits.profiles_of_team(attempt.profile) if attempt.profile else []


def _removal(attempt: RemovalAttempt) -> base.Removal:
    removal = attempt.profile.vendor_info.removal if attempt.profile else None
    return removal or base.Removal(frees_at="withdraw", undo_days=7, default_undo_days=7, needs_destination=True)

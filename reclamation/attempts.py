"""The only code that writes a removal attempt, always where owner and generation are still those of the writer.

A worker takes an attempt with a lease by the database's clock. A person's decision takes it without asking for the
lease: it raises the generation, so that a worker that still holds the attempt finds at its next write that it is
`Lost`. Nothing is sent to a vendor without a write before it, so whoever lost an attempt sends nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from profiles.connectors import base
from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt, RemovalCandidate

State = RemovalAttempt.State
# Longer than a connector tries one call (`base.Limits.deadline`), so a dead lease means that nobody waits any more.
LEASE = timedelta(minutes=5)
# Nothing was sent to the vendor yet that could have an effect, or what was sent was refused.
UNSENT = (State.APPROVED, State.GATED)
MOVES: dict[str, set[str]] = {
    State.APPROVED: {State.GATED, State.CLOSED, State.CANCELED, State.NEEDS_HUMAN},
    State.GATED: {State.CALLING, State.REMOVED, State.CLOSED, State.CANCELED, State.NEEDS_HUMAN},
    State.CALLING: {State.JOB, State.REMOVED, State.CLOSED, State.GATED, State.UNKNOWN, State.NEEDS_HUMAN},
    State.JOB: {State.REMOVED, State.UNKNOWN},
    State.UNKNOWN: {State.REMOVED, State.GATED, State.CANCELED, State.NEEDS_HUMAN},
    State.REMOVED: {State.RESTORING, State.RESTORED, State.MOVING, State.CLOSED, State.NEEDS_HUMAN},
    State.RESTORING: {State.RESTORED, State.REMOVED, State.NEEDS_HUMAN},
    State.MOVING: {State.CLOSED, State.REMOVED, State.NEEDS_HUMAN, State.RESTORED},
    State.NEEDS_HUMAN: {
        *(State.GATED, State.REMOVED, State.RESTORING, State.MOVING, State.CLOSED, State.CANCELED, State.RESTORED),
    },
}


class Lost(Exception):
    """Another worker or a person has the attempt now: write nothing more, and call nobody."""


class UnderWay(Exception):
    """The removal has begun at the vendor, so its candidate cannot be closed by a word."""


class MemberTaken(Exception):
    """The member has an open attempt already, for this or for another profile of the team."""


def open_for(candidate: RemovalCandidate, *, dry_run: bool = False, now: datetime) -> RemovalAttempt:
    """A new attempt in the state *approved*. Raises `MemberTaken`."""
    profile = candidate.profile
    if profile is None:
        raise MemberTaken("The profile was deleted.")
    attempt = RemovalAttempt(
        candidate=candidate,
        batch=candidate.batch,
        profile=profile,
        vendor=profile.vendor,
        team_id=profile.team_id,
        external_id=candidate.external_id,
        email=candidate.email,
        dry_run=dry_run,
        opened_at=now,
    )
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
    except IntegrityError:
        raise MemberTaken("This member is being removed already.") from None
    return attempt


def take(attempt_id: int, *states: str, now: datetime) -> RemovalAttempt | None:
    """Take a due attempt that is in one of these states and that nobody holds; None where that is not so any more."""
    owner = str(uuid.uuid4())
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    due = Q(not_before=None) | Q(not_before__lte=now)
    row = RemovalAttempt.objects.filter(free, due, pk=attempt_id, state__in=states, closed_at=None)
    if not row.update(owner=owner, generation=F("generation") + 1, lease_until=Now() + LEASE):
        return None
    related = ("candidate__rule", "candidate__rule_version", "batch", "profile__alias__parent")
    return RemovalAttempt.objects.select_related(*related).filter(pk=attempt_id, owner=owner).first()


def release(attempt: RemovalAttempt, **changes: Any) -> None:
    """Give the attempt back in the state it is in. Raises `Lost`."""
    _write(attempt, owner="", lease_until=None, **changes)


def note(attempt: RemovalAttempt, **changes: Any) -> None:
    """Write columns of an attempt that this worker holds, and keep holding it. Raises `Lost`."""
    _write(attempt, **changes)


def move(attempt: RemovalAttempt, to: str, *, keep: bool = False, **changes: Any) -> None:
    """Move an attempt that this worker holds to another state, and give it back unless it `keep`s it.

    Raises `Lost`, and ValueError for a move that is not in `MOVES`.
    """
    if to not in MOVES[attempt.state]:
        raise ValueError(f"An attempt does not go from {attempt.state} to {to}.")
    if not keep:
        changes = {"owner": "", "lease_until": None, **changes}
    _write(attempt, state=to, **_without_destination(to), **changes)


def seize(attempt: RemovalAttempt, to: str, **changes: Any) -> None:
    """Move an attempt at a person's word, whoever holds it. Raises `Lost` where it left the state it was read in."""
    if to not in MOVES[attempt.state]:
        raise Lost
    same = RemovalAttempt.objects.filter(pk=attempt.pk, state=attempt.state, closed_at=None)
    values = {"state": to, "owner": "", "lease_until": None, **_without_destination(to), **changes}
    if not same.update(generation=F("generation") + 1, **values):
        raise Lost
    _remember(attempt, values)


def _without_destination(to: str) -> dict[str, Any]:
    """An attempt that goes back to its gate asks anew where the files go: what was sent before had no effect."""
    names = ("destination_external_id", "transfer_admin_external_id") if to == State.GATED else ()
    return dict.fromkeys(names, "")


def seize_in_place(attempt: RemovalAttempt, **changes: Any) -> None:
    """Write columns at a person's word in the state the attempt was read in. Raises `Lost` where it has left it."""
    same = RemovalAttempt.objects.filter(pk=attempt.pk, state=attempt.state, closed_at=None)
    if not same.update(generation=F("generation") + 1, owner="", lease_until=None, **changes):
        raise Lost
    _remember(attempt, changes)


def note_event(keys: Collection[int]) -> int:
    """The vendor's log told at last of moves that were closed by time alone. Returns how many."""
    moved_by = RemovalAttempt.MovedBy
    rows = RemovalAttempt.objects.filter(pk__in=keys, state=State.CLOSED, moved_by=moved_by.TIME)
    return int(rows.update(moved_by=moved_by.EVENT))


def end_unsent(candidate: RemovalCandidate, *, now: datetime) -> None:
    """Cancel the attempts of a candidate that is being closed. Raises `UnderWay` where one has begun at the vendor."""
    mine = RemovalAttempt.objects.filter(candidate=candidate, closed_at=None)
    refused = Q(state=State.NEEDS_HUMAN, withdrawn_at=None) & ~Q(error_kind=base.AnswerLost.__name__)
    ended = {"state": State.CANCELED, "closed_at": now, "owner": "", "lease_until": None}
    mine.filter(Q(state__in=UNSENT) | refused).update(generation=F("generation") + 1, **ended)
    if mine.exists():
        raise UnderWay


def cancel_all(profile: IntegrationProfile, *, now: datetime) -> int:
    """Cancel the attempts of a profile that have not begun at the vendor, dry runs included. Returns how many."""
    rows = RemovalAttempt.objects.filter(profile=profile, closed_at=None)
    begun = Q(withdrawn_at__isnull=False) | Q(state__in=(State.CALLING, State.JOB, State.UNKNOWN))
    ended = {"state": State.CANCELED, "closed_at": now, "owner": "", "lease_until": None}
    return rows.exclude(begun).update(generation=F("generation") + 1, **ended)


def describe_error(error: base.ConnectorError, kind: str = "") -> dict[str, Any]:
    """The columns that keep an error of the vendor."""
    failure = error.failure
    return {
        "error_kind": (kind or type(error).__name__)[:40],
        "error_message": str(error),
        "error_remedy": error.remedy,
        "error_endpoint": failure.endpoint[:120],
        "error_status": failure.status,
        "error_body": failure.body[:2000],
        "error_request_id": failure.request_id[:120],
    }


NO_ERROR: dict[str, Any] = {
    **dict.fromkeys(("error_kind", "error_message", "error_remedy", "error_endpoint", "error_body"), ""),
    "error_request_id": "",
    "error_status": None,
}


def _write(attempt: RemovalAttempt, **changes: Any) -> None:
    held = RemovalAttempt.objects.filter(
        pk=attempt.pk, owner=attempt.owner, generation=attempt.generation, state=attempt.state, closed_at=None
    )
    if not attempt.owner or not held.update(**changes):
        raise Lost
    _remember(attempt, changes)


def _remember(attempt: RemovalAttempt, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if not hasattr(value, "resolve_expression"):
            setattr(attempt, name, value)

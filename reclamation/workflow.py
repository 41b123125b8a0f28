"""The only code that changes the state of a removal candidate. It allows only the moves in `states.MOVES`, each once.

Every function writes the candidate, its history and the audit trail in one transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from profiles.models import IntegrationProfile
from reclamation import attempts
from reclamation.models import RemovalCandidate, StateChange
from reclamation.states import CLOSED, MOVES, State
from samsaas import audit
from samsaas.lib import sql
from subscriptions.models import Subscription

CANDIDATES = RemovalCandidate._meta.db_table
HISTORY = StateChange._meta.db_table


class NotAllowed(Exception):
    """The candidate cannot move to this state from the state it is in now. Nothing was written."""


@transaction.atomic
def open_for(
    seat: Subscription, *, justification: str, note: str, evidence: dict[str, Any], by: User | None, now: datetime
) -> RemovalCandidate:
    """Open a candidate in the state Ready. Raises IntegrityError if the seat already has an open one."""
    candidate = RemovalCandidate.objects.create(
        subscription=seat,
        profile=seat.profile,
        profile_name=seat.profile.display_name,
        display_name=seat.display_name,
        email=seat.email,
        external_id=seat.external_id,
        software_model=str(seat.identifier.software_model or ""),
        justification=justification,
        note=note,
        state=State.READY,
        evidence=evidence,
        status_at_opening=seat.status,
        was_admin=seat.is_admin,
        opened_at=now,
        opened_by=by,
    )
    StateChange.objects.create(candidate=candidate, to_state=State.READY, at=now, by=by)
    audit.record(by, "opened removal candidate", candidate, justification=candidate.get_justification_display())
    return candidate


def apply(candidate: RemovalCandidate, to: State, *, reason: str, now: datetime) -> None:
    """Move the candidate because of what the data says, without a person. Raises `NotAllowed`.

    While it needs attention, it keeps the reason, so that a later look can tell whether that is over. Another reason
    for the same state is no move.
    """
    if to == candidate.state == State.ATTENTION_REQUIRED:
        RemovalCandidate.objects.filter(pk=candidate.pk, state=to).update(attention=reason)
        audit.record(None, "noted on removal candidate", candidate, reason=reason)
        return
    attention = reason if to == State.ATTENTION_REQUIRED else ""
    _move_to(candidate, to, reason=reason, by=None, now=now, attention=attention)


def skip(candidate: RemovalCandidate, *, reason: str, by: User, now: datetime) -> None:
    """Close the candidate without removing the seat: Closed Skipped. Raises `NotAllowed`."""
    _move_to(candidate, State.CLOSED_SKIPPED, reason=reason, by=by, now=now)


@transaction.atomic
def skip_all(profile: IntegrationProfile, *, reason: str, by: User, now: datetime) -> int:
    """Close all open candidates of a profile whose seats are deleted: Closed Skipped. Returns how many."""
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    sql.execute(
        f"INSERT INTO {HISTORY} (candidate_id, from_state, to_state, at, by_id, reason) "  # noqa: S608 - tables of ours
        f"SELECT id, state, %s, %s, %s, %s FROM {CANDIDATES} WHERE profile_id = %s AND closed_at IS NULL{lock}",
        [State.CLOSED_SKIPPED, connection.ops.adapt_datetimefield_value(now), by.pk, reason, profile.pk],
    )
    rows = RemovalCandidate.objects.filter(profile=profile).open()
    skipped = rows.update(state=State.CLOSED_SKIPPED, closed_at=now, subscription=None)
    if skipped:
        audit.record(by, "skipped removal candidates", profile, candidates=skipped, reason=reason)
    return skipped


@transaction.atomic
def _move_to(
    candidate: RemovalCandidate, to: State, *, reason: str, by: User | None, now: datetime, attention: str = ""
) -> None:
    """Move a candidate to another state. Raises `NotAllowed`, also if somebody else has moved it since it was read."""
    before = State(candidate.state)
    if to not in MOVES[before]:
        raise NotAllowed
    same = RemovalCandidate.objects.filter(pk=candidate.pk, state=before)
    values = {"closed_at": now if to in CLOSED else None, "attention": attention, "hold": "", "hold_text": ""}
    if not same.update(state=to, **values):
        raise NotAllowed
    if to in CLOSED:
        _end_attempts(candidate, now)
    StateChange.objects.create(candidate=candidate, from_state=before, to_state=to, at=now, by=by, reason=reason)
    audit.record(by, "moved removal candidate", candidate, before=before.label, after=to.label, reason=reason)


def _end_attempts(candidate: RemovalCandidate, now: datetime) -> None:
    """A closed candidate has no attempt that could still call the vendor. One that has called it keeps it open."""
    try:
        attempts.end_unsent(candidate, now=now)
    except attempts.UnderWay:
        raise NotAllowed from None


def ask_user(
    candidate: RemovalCandidate, *, person_key: str, email: str, by: User | None, now: datetime, reason: str
) -> None:
    """Ready → Awaiting User. Whom the question is for is noted. Raises `NotAllowed`."""
    with transaction.atomic():
        _go(candidate, State.AWAITING_USER, reason=reason, by=by, now=now)
        RemovalCandidate.objects.filter(pk=candidate.pk).update(person_key=person_key, email=email)


def ask_approver(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """Ready → Awaiting Approval. Raises `NotAllowed`."""
    _go(candidate, State.AWAITING_APPROVAL, reason=reason, by=by, now=now)


def revoke(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """The seat is to be removed: Awaiting Revocation. One that needed attention becomes Ready on its way.

    Raises `NotAllowed`.
    """
    with transaction.atomic():
        if candidate.state == State.ATTENTION_REQUIRED:
            _go(candidate, State.READY, reason=reason, by=by, now=now)
        _go(candidate, State.AWAITING_REVOCATION, reason=reason, by=by, now=now)


def make_ready(candidate: RemovalCandidate, *, reason: str, by: User, now: datetime) -> None:
    """Attention Required → Ready: a person has weighed what samsaas found, and it can be reclaimed anew.

    What was called about is decided on its attempt. Raises `NotAllowed`.
    """
    if candidate.state != State.ATTENTION_REQUIRED:
        raise NotAllowed
    with transaction.atomic():
        _go(candidate, State.READY, reason=reason, by=by, now=now)
        _end_attempts(candidate, now)
        RemovalCandidate.objects.filter(pk=candidate.pk).update(batch=None)


def need_attention(candidate: RemovalCandidate, *, reason: str, now: datetime) -> None:
    """A person has to look at the candidate. Raises `NotAllowed`."""
    with transaction.atomic():
        apply(candidate, State.ATTENTION_REQUIRED, reason=reason[:200], now=now)
        candidate.state = State.ATTENTION_REQUIRED


def close(candidate: RemovalCandidate, to: State, *, reason: str, by: User | None, now: datetime) -> None:
    """Close the candidate as complete, skipped or canceled. Its attempt has ended before. Raises `NotAllowed`."""
    with transaction.atomic():
        if to == State.CLOSED_COMPLETE and candidate.state in (State.ATTENTION_REQUIRED, State.READY):
            revoke(candidate, reason=reason, by=by, now=now)
        _go(candidate, to, reason=reason, by=by, now=now)


def hold(candidate: RemovalCandidate, *, code: str, text: str) -> None:
    """Say why a pending removal waits. That is no state; an empty code says that it does not wait."""
    waiting = RemovalCandidate.objects.filter(pk=candidate.pk, state=State.AWAITING_REVOCATION)
    waiting.exclude(hold=code, hold_text=text[:300]).update(hold=code, hold_text=text[:300])


def _go(candidate: RemovalCandidate, to: State, *, reason: str, by: User | None, now: datetime) -> None:
    """Move the candidate, and the row in the caller's hands with it."""
    _move_to(candidate, to, reason=reason[:500], by=by, now=now)
    candidate.state, candidate.closed_at = to, now if to in CLOSED else None

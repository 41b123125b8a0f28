"""The only code that changes the state of a removal candidate. It allows only the moves in `states.MOVES`, each once.

Every function writes the candidate, its history and the audit trail in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt, RemovalCandidate, StateChange
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
    if not same.update(state=to, closed_at=now if to in CLOSED else None, attention=attention):
        raise NotAllowed
    StateChange.objects.create(candidate=candidate, from_state=before, to_state=to, at=now, by=by, reason=reason)
    audit.record(by, "moved removal candidate", candidate, before=before.label, after=to.label, reason=reason)


@transaction.atomic
def skip_batch(keys: Sequence[int], *, reason: str, by: User, now: datetime) -> Sequence[RemovalCandidate]:
    """Close those of the candidates that are open and may be: Closed Skipped. Returns them, with rule and profile.

    `keys` is one batch: they are named in one statement. A candidate with an open attempt is closed like a single one.
    """
    rows = RemovalCandidate.objects.filter(pk__in=keys).open().order_by("pk").select_related("rule", "profile")
    attempts = RemovalAttempt.objects.filter(candidate=OuterRef("pk"), closed_at=None)
    found = list(rows.annotate(has_attempt=Exists(attempts)).select_for_update(no_key=True, of=("self",)))
    plain = [one for one in found if not one.has_attempt]
    changes = {"closed_at": now, "attention": "", "hold": "", "hold_text": ""}
    RemovalCandidate.objects.filter(pk__in=[one.pk for one in plain]).update(state=State.CLOSED_SKIPPED, **changes)
    moved = {"to_state": State.CLOSED_SKIPPED, "at": now, "by": by, "reason": reason}
    StateChange.objects.bulk_create(StateChange(candidate=one, from_state=one.state, **moved) for one in plain)
    after = {"after": State.CLOSED_SKIPPED.label, "reason": reason}
    audit.record_many(
        by, "moved removal candidate", ((one, {"before": one.get_state_display(), **after}) for one in plain)
    )
    return plain + [one for one in found if one.has_attempt and _skip_single(one, reason, by, now)]


def _skip_single(candidate: RemovalCandidate, reason: str, by: User, now: datetime) -> bool:
    try:
        skip(candidate, reason=reason, by=by, now=now)
    except NotAllowed:
        return False
    return True

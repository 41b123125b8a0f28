"""The only code that changes the state of a removal candidate. It allows only the moves in `states.MOVES`, each once.

Every function writes the candidate, its history and the audit trail in one transaction.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q

from profiles.models import IntegrationProfile
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
    candidate: RemovalCandidate,
    to: State,
    *,
    reason: str,
    by: User | None,
    now: datetime,
    attention: str = "",
    only_if: Q | None = None,
    also: dict[str, Any] | None = None,
) -> None:
    """Move a candidate to another state, and write what goes with it. Raises `NotAllowed`, and writes nothing then.

    That is also so if somebody else has moved it since it was read, or if `only_if` does not hold at this moment.
    """
    before = State(candidate.state)
    if to not in MOVES[before]:
        raise NotAllowed
    same = RemovalCandidate.objects.filter(only_if or Q(), pk=candidate.pk, state=before)
    if not same.update(state=to, closed_at=now if to in CLOSED else None, attention=attention, **(also or {})):
        raise NotAllowed
    StateChange.objects.create(candidate=candidate, from_state=before, to_state=to, at=now, by=by, reason=reason)
    audit.record(by, "moved removal candidate", candidate, before=before.label, after=to.label, reason=reason)


def ask_user(
    candidate: RemovalCandidate, *, person_key: str, email: str, by: User | None, now: datetime, reason: str
) -> None:
    """Ready → Awaiting User. The time to answer begins when the question has been sent. Raises `NotAllowed`.

    Whom the question is for is noted: silence counts as long as it is theirs.
    """
    asked = {"person_key": person_key, "email": email, "deadline": None, "after_notice": False}
    _move_to(candidate, State.AWAITING_USER, reason=reason, by=by, now=now, also=asked)


def answer_keep(candidate: RemovalCandidate, to: State, *, reason: str, now: datetime) -> None:
    """The user keeps it: from Awaiting User on, unless their time is over. Raises `NotAllowed`, also then."""
    in_time = Q(deadline=None) | Q(deadline__gte=now)
    _move_to(candidate, to, reason=reason, by=None, now=now, only_if=in_time)


def end_silence(candidate: RemovalCandidate, to: State, *, reason: str, now: datetime) -> None:
    """The user's time is over: from Awaiting User on. Raises `NotAllowed`, also if somebody has given more time."""
    over = Q(deadline__lt=now)
    attention = reason if to == State.ATTENTION_REQUIRED else ""
    _move_to(candidate, to, reason=reason, by=None, now=now, only_if=over, attention=attention)


def ask_approver(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """Ready → Awaiting Approval. Raises `NotAllowed`."""
    _move_to(candidate, State.AWAITING_APPROVAL, reason=reason, by=by, now=now)


def follow_approver(candidate: RemovalCandidate, to: State, *, reason: str, by: User, now: datetime) -> None:
    """An approver has decided: from Awaiting Approval on. Raises `NotAllowed`."""
    if candidate.state != State.AWAITING_APPROVAL:
        raise NotAllowed
    _move_to(candidate, to, reason=reason, by=by, now=now)


def revoke(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """Ready → Awaiting Revocation, where nobody has to be asked. Raises `NotAllowed`."""
    _move_to(candidate, State.AWAITING_REVOCATION, reason=reason, by=by, now=now)


def make_ready(candidate: RemovalCandidate, *, reason: str, by: User, now: datetime) -> None:
    """Attention Required → Ready: a person has weighed what samsaas found. Raises `NotAllowed`."""
    if candidate.state != State.ATTENTION_REQUIRED:
        raise NotAllowed
    _move_to(candidate, State.READY, reason=reason, by=by, now=now)


def keep_seat(candidate: RemovalCandidate, *, until: date, by: User | None) -> None:
    """A decision lasts: the account is left alone until this day, in every profile of its team. A longer one stays."""
    own, profile = Q(removal_candidates=candidate), candidate.profile
    if profile is not None and profile.team_id:
        own |= Q(profile__vendor=profile.vendor, profile__team_id=profile.team_id, external_id=candidate.external_id)
    seats = Subscription.objects.filter(own).filter(Q(keep_until=None) | Q(keep_until__lt=until))
    if Subscription.objects.filter(pk__in=list(seats.values_list("pk", flat=True))).update(keep_until=until):
        audit.record(by, "kept subscription", candidate, until=until.isoformat())

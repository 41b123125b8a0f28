"""The seam between asking and removing: a candidate about whom nobody has anything left to say is removed next.

1. Move it to Awaiting Revocation.
2. Have `removal.start` open the attempt, in the same transaction. The vendor is called later, after the gate.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import workflow
from reclamation.models import RemovalCandidate
from reclamation.removal import start
from reclamation.states import State


@transaction.atomic
def after_silence(candidate: RemovalCandidate, *, reason: str, now: datetime) -> None:
    """The user was asked and did not answer. Raises `workflow.NotAllowed`."""
    workflow.end_silence(candidate, State.AWAITING_REVOCATION, reason=reason, now=now)
    _open_attempt(candidate, now)


@transaction.atomic
def after_decision(candidate: RemovalCandidate, *, reason: str, by: User, now: datetime) -> None:
    """An approver said yes to the removal, or no to keeping it. Raises `workflow.NotAllowed`."""
    workflow.follow_approver(candidate, State.AWAITING_REVOCATION, reason=reason, by=by, now=now)
    _open_attempt(candidate, now)


@transaction.atomic
def at_once(candidate: RemovalCandidate, *, reason: str, by: User | None, now: datetime) -> None:
    """Nobody has to be asked. Raises `workflow.NotAllowed`."""
    workflow.revoke(candidate, reason=reason, by=by, now=now)
    _open_attempt(candidate, now)


def _open_attempt(candidate: RemovalCandidate, now: datetime) -> None:
    candidate.refresh_from_db()
    start.approve(candidate, now)

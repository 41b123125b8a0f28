"""Propose a seat for removal by hand. Nothing is removed, and the vendor is not called.

1. Lock the seat, so that it cannot be proposed twice, or deleted with its profile meanwhile.
2. Refuse a seat that cannot be proposed.
3. Collect what is known about its use now.
4. Open a candidate in the state Ready, or Attention Required if there is nobody who could be asked.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import address, evidence, guards, workflow
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.reasons import Reason
from subscriptions.activity import last_used
from subscriptions.models import Subscription

ENDED = "This subscription has ended, so there is nothing to remove."
GONE = "This subscription was deleted with its integration profile."
EXCLUDED = "This subscription is excluded by a rule, so it is never reclaimed."
UNMANAGED = "Its software model is not under management, so its subscriptions are never reclaimed."
AUTHORIZED = (
    "This account authorized the connection, and the files of removed members go to it. "
    "Let another administrator press Get OAuth Token first."
)
OTHER_TEAM = (
    "It belongs to the team that its profile was connected to before, so nothing can be done about it from here."
)
AUTHORIZER_UNKNOWN = (
    "The vendor did not say which administrator authorized the connection, so none is proposed. "
    "Press Get OAuth Token on the profile again."
)
REFUSALS = {
    guards.ENDED: ENDED,
    guards.OTHER_TEAM: OTHER_TEAM,
    guards.EXCLUDED: EXCLUDED,
    guards.UNMANAGED: UNMANAGED,
    guards.AUTHORIZED: AUTHORIZED,
    guards.AUTHORIZER_UNKNOWN: AUTHORIZER_UNKNOWN,
}


class ProposalRefused(Exception):
    """The seat cannot be proposed. The text says why and, if possible, what to do."""


class AlreadyOpen(ProposalRefused):
    """The seat already has an open candidate, `candidate`."""

    def __init__(self, candidate: RemovalCandidate) -> None:
        super().__init__(f"This subscription is already proposed: {candidate.number}.")
        self.candidate = candidate


@transaction.atomic
def run(seat: Subscription, *, justification: str, note: str, by: User, now: datetime) -> RemovalCandidate:
    """Open a candidate for the seat. Raises `AlreadyOpen` or `ProposalRefused`, and writes nothing then."""
    related = ("profile", "identifier__software_model", "last_activity", "match__person")
    seats = address.with_address(Subscription.objects.select_related(*related))
    described = last_used.with_idle_facts(seats, now)
    locked = described.select_for_update(no_key=True, of=("self",)).filter(pk=seat.pk).first()
    if locked is None:
        raise ProposalRefused(GONE)
    check_seat(locked)
    opening = workflow.Opening(
        seat=locked,
        reason=Reason.MANUAL.value,
        evidence=evidence.describe_use(locked, now=now),
        justification=justification,
        note=note,
        attention=address.why_nobody_to_ask(locked, ReclamationRule.with_defaults(now), justification, now),
    )
    return workflow.open_for(opening, by=by, now=now)


def check_seat(seat: Subscription) -> None:
    """Raises `AlreadyOpen` or `ProposalRefused` if the seat cannot be proposed."""
    if found := RemovalCandidate.objects.open().filter(subscription=seat).first():
        raise AlreadyOpen(found)
    if reason := refusal_reason(seat):
        raise ProposalRefused(reason)


def refusal_reason(seat: Subscription) -> str:
    """Why the seat cannot be proposed, apart from an open candidate; empty if it can."""
    return REFUSALS.get(guards.code_for(seat), "")

"""Propose a seat for removal by hand. Nothing is removed, and the vendor is not called.

1. Lock the seat: nobody proposes it twice, and no deletion of its profile passes unseen.
2. Refuse a seat that cannot be proposed.
3. Note what is known of its use now.
4. Open the candidate, Ready.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from profiles.models import Credential
from reclamation import evidence, workflow
from reclamation.models import RemovalCandidate
from subscriptions.activity import last_used
from subscriptions.models import Subscription

ENDED = "This subscription has ended: there is nothing left to remove."
GONE = "This subscription was deleted with its integration profile."
EXCLUDED = "An exclusion rule leaves this subscription out, so it is never reclaimed."
UNMANAGED = "Its software model is not under management, so its subscriptions are never reclaimed."
AUTHORIZED = (
    "This account authorized the connection, and files of removed members go to it. "
    "Let another administrator press Get OAuth Token first."
)


class ProposalRefused(Exception):
    """The seat cannot be proposed; the text says why, and what to do where something can be done."""


class AlreadyOpen(ProposalRefused):
    """There is an open candidate for the seat: this one."""

    def __init__(self, candidate: RemovalCandidate) -> None:
        super().__init__(f"This subscription is proposed already: {candidate.number}.")
        self.candidate = candidate


@transaction.atomic
def run(seat: Subscription, *, justification: str, note: str, by: User, now: datetime) -> RemovalCandidate:
    """The new candidate. Raises `AlreadyOpen` or `Refused`; nothing is written then."""
    seats = Subscription.objects.select_related("profile", "identifier__software_model", "last_activity")
    described = seats.annotate(inactivity_known=last_used.inactivity_known(now))
    locked = described.select_for_update(no_key=True, of=("self",)).filter(pk=seat.pk).first()
    if locked is None:
        raise ProposalRefused(GONE)
    check_seat(locked)
    known = evidence.describe_use(locked, covered=locked.inactivity_known, now=now)
    return workflow.open_for(locked, justification=justification, note=note, evidence=known, by=by, now=now)


def check_seat(seat: Subscription) -> None:
    """Raises `AlreadyOpen` or `Refused` where the seat cannot be proposed."""
    if found := RemovalCandidate.objects.open().filter(subscription=seat).first():
        raise AlreadyOpen(found)
    if reason := refusal_reason(seat):
        raise ProposalRefused(reason)


def refusal_reason(seat: Subscription) -> str:
    """Why the seat itself cannot be proposed; empty when it can."""
    if seat.ended_at:
        return ENDED
    if seat.excluded:
        return EXCLUDED
    model = seat.identifier.software_model
    if model and not model.under_management:
        return UNMANAGED
    authorized = Credential.objects.filter(alias=seat.profile.alias_id, admin_external_id=seat.external_id)
    return AUTHORIZED if authorized.exists() else ""

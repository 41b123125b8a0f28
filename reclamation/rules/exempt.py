"""Exempt a person or a seat from reclamation, or end an exemption.

1. End the exemption that is open, if there is one; one that says the same stays.
2. Store the new one, with its line in the audit trail.
3. Close the open candidates of the seats it protects, except where the removal has begun at the vendor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from reclamation import guards, workflow
from reclamation.models import Exemption, RemovalCandidate
from reclamation.states import State
from samsaas import audit
from subscriptions.models import Person, Subscription


@dataclass(frozen=True, kw_only=True)
class Protection:
    """Who is exempt, why, and until which day, which counts; None is without end. Exactly one of both is set."""

    person: Person | None = None
    subscription: Subscription | None = None
    reason: str
    until: date | None

    @property
    def target(self) -> dict[str, Person | Subscription | None]:
        return {"person": self.person, "subscription": self.subscription}

    @property
    def protected(self) -> Q:
        """The condition for candidates of the protected seats."""
        if self.subscription is not None:
            return Q(subscription=self.subscription)
        return Q(subscription__match__person=self.person)


@transaction.atomic
def add(protection: Protection, *, by: User, now: datetime) -> Exemption:
    """The exemption, with the candidates of its seats closed. One that says the same already is returned as it is."""
    _lock_target(protection)
    found = Exemption.objects.open().filter(**protection.target).first()
    if found and (found.reason, found.until) == (protection.reason, protection.until):
        return found
    if found:
        Exemption.objects.filter(pk=found.pk).update(ended_at=now)
    made = Exemption.objects.create(
        person=protection.person,
        subscription=protection.subscription,
        reason=protection.reason,
        until=protection.until,
        by=by,
        at=now,
    )
    audit.record(by, "exempted from reclamation", made, until=str(made.until or ""), reason=made.reason)
    _close_candidates(protection, now)
    return made


@transaction.atomic
def end(exemption: Exemption, *, by: User, now: datetime) -> bool:
    """End an exemption. False if it has ended before."""
    ended = Exemption.objects.open().filter(pk=exemption.pk).update(ended_at=now)
    if ended:
        audit.record(by, "ended exemption", exemption)
    return bool(ended)


@transaction.atomic
def end_past(now: datetime, today: date) -> int:
    """End the exemptions whose last day is over, so that new ones can follow. Returns how many."""
    over = list(Exemption.objects.open().filter(until__lt=today).select_for_update(of=("self",)))
    for exemption in over:
        audit.record(None, "ended exemption", exemption, until=str(exemption.until))
    return Exemption.objects.filter(pk__in=[one.pk for one in over]).update(ended_at=now)


def _lock_target(protection: Protection) -> None:
    """Two who exempt the same at once come one after the other."""
    for target in filter(None, protection.target.values()):
        type(target)._default_manager.select_for_update(no_key=True, of=("self",)).filter(pk=target.pk).first()


def _close_candidates(protection: Protection, now: datetime) -> None:
    until = f" until {protection.until:%-d %b %Y}" if protection.until else ""
    reason = f"Exempt{until}: {protection.reason}"
    for candidate in RemovalCandidate.objects.open().filter(protection.protected, ~guards.is_being_removed()):
        workflow.apply(candidate, State.CLOSED_SKIPPED, reason=reason, now=now)

"""The switch that stops removals, everywhere or for one profile. Whoever is about to call a vendor reads it first."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationSwitch, RemovalAttempt, RemovalCandidate
from samsaas import audit

CODE = "switch"


def paused_because(profile: IntegrationProfile | None, *, lock: bool = False) -> str:
    """Why removals of this profile are paused; empty where they are not. One SELECT.

    With `lock`, inside a transaction: nobody presses the switch, and no other removal begins, before its end.
    """
    rows = ReclamationSwitch.objects.filter(Q(profile=None) | Q(profile=profile)).order_by("pk")
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = [row for row in rows if row.paused]
    return "; ".join(f"Paused {'everywhere' if row.profile_id is None else 'here'}: {row.reason}" for row in found)


def make_row(now: datetime) -> None:
    """Make the row for everywhere, which removals lock one after the other."""
    ReclamationSwitch.objects.get_or_create(profile=None, defaults={"at": now, "reason": "Not paused so far"})


@transaction.atomic
def pause(profile: IntegrationProfile | None, *, reason: str, by: User | None, now: datetime) -> None:
    """Stop removals everywhere, or of one profile, before their next call."""
    values = {"paused": True, "by": by, "at": now, "reason": reason[:200]}
    ReclamationSwitch.objects.update_or_create(profile=profile, defaults=values)
    audit.record(by, "paused removals", profile, reason=reason[:200])


@transaction.atomic
def go_on(profile: IntegrationProfile | None, *, reason: str, by: User, now: datetime) -> None:
    """Let removals go on. Those that waited for the switch are due at once."""
    values = {"paused": False, "by": by, "at": now, "reason": reason[:200]}
    ReclamationSwitch.objects.update_or_create(profile=profile, defaults=values)
    waiting = RemovalCandidate.objects.open().filter(hold=CODE)
    if profile:
        waiting = waiting.filter(profile=profile)
    RemovalAttempt.objects.filter(candidate__in=waiting, closed_at=None).update(not_before=None)
    audit.record(by, "let removals go on", profile, reason=reason[:200])

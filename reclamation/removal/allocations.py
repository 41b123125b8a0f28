"""Rights that were allocated to the user of a removed seat: released with it, and given back with a restoration."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from reclamation.models import RemovalAttempt, SavingsEntry
from subscriptions.entitlements import allocate
from subscriptions.models import Match, Person, SoftwareModel


def release(attempt: RemovalAttempt, *, at: datetime) -> None:
    """Release a right that the user of the freed seat no longer needs. Call it while the seat is still listed."""
    seat = attempt.candidate.subscription
    match = Match.objects.filter(subscription=seat).select_related("person").first() if seat else None
    model = seat.identifier.software_model if seat else None
    if match and model and seat:
        others = Match.objects.of_current_seats().filter(
            person=match.person,
            subscription__identifier__software_model=model,
            subscription__consumes_license=True,
        )
        remaining = others.exclude(subscription__external_id=seat.external_id).count()
        allocate.release_with_seat(match.person, model, remaining, now=at)


def give_back(attempt: RemovalAttempt, *, at: datetime) -> None:
    """Allocate the right again that the removal released, if nobody else has it meanwhile."""
    found = _freed_from(attempt)
    if found and attempt.freed_at:
        allocate.give_back_with_seat(*found, timezone.localtime(attempt.freed_at).date(), now=at)


def _freed_from(attempt: RemovalAttempt) -> tuple[Person, SoftwareModel] | None:
    """Whose seat was freed, and of which software model, as the ledger noted it."""
    freed = SavingsEntry.objects.filter(candidate=attempt.candidate, kind=SavingsEntry.Kind.FREED)
    line = freed.select_related("person", "of_model").first()
    return (line.person, line.of_model) if line and line.person and line.of_model else None

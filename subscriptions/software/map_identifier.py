"""Map a subscription identifier to a software model, or unmap it.

Seats belong to their identifier, so all of them, in every profile, move with it at once.

1. Find the model, without regard to case, or create it.
2. Write the identifier and its line in the audit trail in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q

from samsaas import audit
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier


@dataclass(frozen=True)
class Moving:
    """How many seats an identifier has: current, excluded and ended ones."""

    current: int
    left_out: int
    ended: int


def count_moving(identifier: SubscriptionIdentifier) -> Moving:
    """How many seats move when the identifier is mapped to another model."""
    listed = Q(ended_at=None)
    counted = Subscription.objects.filter(identifier=identifier).aggregate(
        current=Count("pk", filter=listed & Q(excluded=False)),
        left_out=Count("pk", filter=listed & Q(excluded=True)),
        ended=Count("pk", filter=~listed),
    )
    return Moving(**counted)


@transaction.atomic
def run(identifier: SubscriptionIdentifier, model: SoftwareModel | None, *, by: User) -> Moving:
    """Map the identifier to `model`, or unmap it if that is None. Returns how many seats moved.

    A model that is not stored yet is looked up by its name, and created if there is none.
    """
    locked = SubscriptionIdentifier.objects.select_for_update().get(pk=identifier.pk)
    before = locked.software_model
    if model is not None and model.pk is None:
        model = SoftwareModel.objects.find_or_make(*model.parts)
    moved = count_moving(locked)
    if model == before:
        return moved
    locked.software_model = model
    locked.save(update_fields=["software_model"])
    names = {"before": str(before) if before else "unrecognized", "after": str(model) if model else "unrecognized"}
    verb = "mapped subscription identifier" if model else "unmapped subscription identifier"
    audit.record(by, verb, locked, software_model=names, current=moved.current, left_out=moved.left_out)
    return moved

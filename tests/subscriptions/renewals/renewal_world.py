"""A company with subscriptions in use and rights that end, reconciled as of now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from reclamation.states import State
from subscriptions.models import Entitlement, SoftwareModel, Subscription
from tests import factories
from tests.subscriptions.entitlements.owned_world import day, published
from tests.subscriptions.reconciliation import position_world

LIST = "/renewals/"


def use(model: SoftwareModel, count: int, *, candidates: int = 0, excluded: int = 0, profile: Any = None) -> Any:
    """Subscriptions of a model: so many in use, some of them open candidates, and others that are excluded."""
    profile = profile or factories.profile(refreshed_at=timezone.now())
    identifier = factories.identifier(software_model=model)
    rows = [
        factories.subscription_row(profile=profile, identifier=identifier, excluded=place >= count)
        for place in range(count + excluded)
    ]
    seats = Subscription.objects.bulk_create(rows)
    for seat in seats[:candidates]:
        factories.candidate(seat, state=State.READY)
    return seats


def ending(by: Any, in_days: int, model: SoftwareModel | None = None, **fields: Any) -> Entitlement:
    """A published entitlement of 100 rights for USD 180 a right, whose last day is so many days from now."""
    given: dict[str, Any] = {"start": day(in_days - 364), "end": day(in_days), "purchased_rights": 100}
    given |= {"unit_cost": Decimal(180), "currency": "USD"}
    return published(by, model, **{**given, **fields})


def reconcile() -> Any:
    """A whole run as of now."""
    return position_world.reconcile_as_of(None, now=timezone.now())


def worked_example(by: Any, *, in_days: int = 72, edition: str = "Advanced", **fields: Any) -> Entitlement:
    """90 in use, 13 of them open candidates, 100 owned: 77 and 4 to spare make 81."""
    model = factories.software_model(product="Files", edition=edition)
    use(model, 90, candidates=13)
    one = ending(by, in_days, model, **fields)
    reconcile()
    return one

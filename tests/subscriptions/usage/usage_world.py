"""A company that is short of one product and has rights to spare of another, reconciled, for the pages that show it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from reclamation.models import RemovalAttempt
from subscriptions.entitlements import allocate
from subscriptions.models import (
    Allocation,
    Entitlement,
    MetricResult,
    Person,
    ReconciliationRun,
    SoftwareModel,
    Subscription,
)
from subscriptions.reconciliation import use_by_day
from tests import factories
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

DAY = timedelta(days=1)
USAGE = "/license-usage/"


class Company:
    """Acme Mail Full: 4 in use, 3 owned, one of them allocated to somebody without a subscription.

    Acme Mail Lite: 2 in use, 5 owned. Zeta Draw: 2 in use, nothing owned. People are in two departments.
    """

    def __init__(self) -> None:
        self.profile = factories.profile(display_name="Acme US", refreshed_at=timezone.now(), team_id="t1")
        self.full = factories.software_model(publisher="Acme", product="Mail", edition="Full")
        self.lite = factories.software_model(publisher="Acme", product="Mail", edition="Lite")
        self.draw = factories.software_model(publisher="Zeta", product="Draw", edition="")
        self.full_rights = self.own(self.full, 3, 120, "USD")
        self.lite_rights = self.own(self.lite, 5, 60, "USD")
        self.seats = {
            model.pk: self.fill(model, count) for model, count in ((self.full, 4), (self.lite, 2), (self.draw, 2))
        }
        self.people = [
            factories.person(name=f"Ada {number}", department="Sales" if number % 2 else "Support")
            for number in range(1, 4)
        ]
        for seat, person in zip(self.seats[self.full.pk], self.people, strict=False):
            factories.match(seat, person)
        self.gone = factories.person(name="Gone Girl", left_on=timezone.localdate() - 9 * DAY)
        self.held = Allocation.objects.create(
            entitlement=self.full_rights, person=self.gone, quantity=1, assigned_on=date(2020, 1, 1)
        )

    def own(self, model: SoftwareModel, rights: int, cost: int | Decimal, currency: str, **fields: Any) -> Entitlement:
        end = timezone.localdate() + timedelta(days=99)
        given = {"state": "in_use", "start": date(2020, 1, 1), "end": end, "unit_cost": Decimal(cost), **fields}
        return Entitlement.objects.create(software_model=model, purchased_rights=rights, currency=currency, **given)

    def fill(self, model: SoftwareModel, count: int) -> list[Subscription]:
        kind = model.identifiers.first() or factories.identifier(software_model=model)
        since = timezone.now() - 40 * DAY
        return [
            factories.subscription(
                profile=self.profile, identifier=kind, first_seen_at=since, assigned_at=since + number * DAY
            )
            for number in range(count)
        ]

    def reconcile(self, day: date | None = None, **question: Any) -> ReconciliationRun:
        run = reconcile_as_of(day, now=timezone.now(), **question)
        assert run.state == "completed", run.problem
        return run

    def count_days(self) -> None:
        use_by_day.store_missing(now=timezone.now())

    def metric(self, model: SoftwareModel) -> MetricResult:
        return MetricResult.objects.get(model_result__current=True, model_result__software_model=model)

    def allocate_to(self, person: Person) -> Allocation:
        return allocate.assign(self.full_rights, person, 1, on=timezone.localdate(), by=None)


def removed_today(company: Company, model: SoftwareModel) -> RemovalAttempt:
    """A subscription of the model that we removed an hour ago, and that can be restored for six days."""
    (seat,) = company.fill(model, 1)
    hour_ago = timezone.now() - timedelta(hours=1)
    Subscription.objects.filter(pk=seat.pk).update(ended_at=hour_ago, freed_at=hour_ago)
    return RemovalAttempt.objects.create(
        candidate=factories.candidate(seat, state="closed_complete"),
        profile=company.profile,
        vendor="dropbox",
        team_id="t1",
        external_id=seat.external_id,
        state=RemovalAttempt.State.REMOVED,
        opened_at=hour_ago,
        withdrawn_at=hour_ago,
        restorable_until=timezone.now() + 6 * DAY,
    )

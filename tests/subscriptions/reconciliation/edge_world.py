"""A small world for one question at a time: what is owned of a software model, who uses it, what the ledger says."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from subscriptions.models import Allocation, Entitlement, MetricResult, Person, SoftwareModel, Subscription
from tests import factories
from tests.subscriptions.reconciliation import position_world as worlds, random_case, savings_world

DAY = timedelta(days=1)


class Place:
    """One profile, listed long ago."""

    def __init__(self) -> None:
        self.today = timezone.localdate()
        self.now = timezone.now()
        self.profile = factories.profile(refreshed_at=self.now, team_id="t1")

    def day(self, offset: int) -> date:
        return self.today + offset * DAY

    def own(self, model: SoftwareModel, rights: int, **fields: Any) -> Entitlement:
        """For EUR 100 a right and year since a hundred days ago, unless it says otherwise."""
        money = {} if fields.get("unlimited") else {"unit_cost": 100, "currency": "EUR"}
        given = {"state": "in_use", "start": self.day(-100), "purchased_rights": rights, **money, **fields}
        return Entitlement.objects.create(software_model=model, **given)

    def use(
        self, model: SoftwareModel, count: int = 1, person: Person | None = None, **fields: Any
    ) -> list[Subscription]:
        """Subscriptions of the software model since forty days ago."""
        kind = model.identifiers.first() or factories.identifier(software_model=model)
        since: datetime = self.now - 40 * DAY
        given = {"profile": self.profile, "identifier": kind, "first_seen_at": since, **fields}
        seats = [factories.subscription(**given) for _ in range(count)]
        for seat in seats if person else []:
            factories.match(seat, person, at=since)  # type: ignore[arg-type]
        return seats

    def allocate(self, one: Entitlement, person: Person, quantity: int = 1) -> Allocation:
        return Allocation.objects.create(
            entitlement=one, person=person, quantity=quantity, assigned_on=max(one.start, self.day(-50))
        )

    def figures(self, model: SoftwareModel, day: date | None = None) -> MetricResult | None:
        """What a reconciliation finds of the software model, as of now or of a day that is over."""
        run = worlds.reconcile_as_of(day, now=self.now)
        found = MetricResult.objects.filter(model_result__product_result__run=run, model_result__software_model=model)
        return found.first()


def ledger_of(entitlements: list[dict[str, Any]], removals: list[dict[str, Any]], until: date) -> dict[str, Any]:
    """Play removals and renewals of one software model day by day; gives what the ledger says at the end."""
    rows = {
        "models": [{"id": "m0", "publisher": "Acme", "product": "Mail", "under_management": 1}],
        "profiles": [{"id": "p0", "vendor": "dropbox"}],
        "entitlements": [
            {
                "model": "m0",
                "state": "in_use",
                "unlimited": 0,
                "period": "annually",
                "unit_cost": 120,
                "currency": "USD",
            }
            | one
            for one in entitlements
        ],
        "removals": [{"model": "m0", **one} for one in removals],
    }
    tables = {}
    for name, header in random_case.HEADERS.items():
        columns = header.split(",")
        tables[name] = [
            header,
            *(",".join(str(row.get(column, "")) for column in columns) for row in rows.get(name, [])),
        ]
    case = {"question": {"date": until.isoformat(), "group": "none"}, "tables": tables}
    world = worlds.make_world(case)
    candidates = savings_world.play_removals(world, case, until)
    return savings_world.describe_savings(candidates, until)

"""The world of a worked case as rows, and what the product says of it, in the words of the case."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from profiles.jobs import execute
from profiles.models import IntegrationProfile, JobRun
from reclamation.models import RemovalCandidate
from reclamation.states import CLOSED, State
from samsaas.lib import money
from subscriptions import recompute
from subscriptions.entitlements import renewals
from subscriptions.entitlements.terms import Book
from subscriptions.models import (
    Allocation,
    Entitlement,
    MetricResult,
    Person,
    ProductResult,
    ReconciliationRun,
    SeatResult,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    SubscriptionVersion,
)
from subscriptions.question import ask
from subscriptions.reconciliation import reconcile, tiers
from tests import factories

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
COUNTS = ("in_use", "without_user", "of_leavers", "allocated", "allocated_in_use", "allocated_not_in_use")
COUNTS += ("not_allocated_in_use", "used", "needed", "open_candidates")
SUMS = ("out_of_compliance", "unlimited", "owned", "in_use", "used", "needed", "unlicensed", "unpriced", "status")
AMOUNTS = ("true_up", "over_licensed", "potential_savings")


@dataclass
class World:
    """The rows of a case, by the ids it gives them."""

    models: dict[str, SoftwareModel] = field(default_factory=dict)
    identifiers: dict[tuple[str, str], SubscriptionIdentifier] = field(default_factory=dict)
    profiles: dict[str, IntegrationProfile] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    seats: dict[str, Subscription] = field(default_factory=dict)
    entitlements: dict[str, Entitlement] = field(default_factory=dict)

    def name_of(self, kind: str, row: Any) -> str:
        """The id that the case gives to a row."""
        return next(name for name, one in getattr(self, kind).items() if one.pk == row)


def lines(case: dict[str, Any], table: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(case["tables"].get(table, []))


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def moment(on: date) -> datetime:
    """The beginning of a day; the tests' zone is UTC."""
    return datetime.combine(on, time.min, tzinfo=UTC)


def number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def make_world(case: dict[str, Any]) -> World:
    world = World()
    for row in lines(case, "models"):
        world.models[row["id"]] = SoftwareModel.objects.create(
            publisher=row["publisher"],
            product=row["product"],
            edition=row["edition"],
            under_management=row["under_management"] == "1",
            cost_override=number(row["cost_override"]),
            currency=row["currency"],
        )
    for row in lines(case, "profiles"):
        world.profiles[row["id"]] = factories.profile(
            team_id=row["team_id"],
            licenses_reported=int(row["licenses_reported"]) if row["licenses_reported"] else None,
            seats_used_reported=int(row["used_reported"]) if row["used_reported"] else None,
            refreshed_at=LONG_AGO,
        )
        IntegrationProfile.objects.filter(pk=world.profiles[row["id"]].pk).update(vendor=row["vendor"])
        world.profiles[row["id"]].vendor = row["vendor"]
    make_people(world, case)
    make_seats(world, case)
    make_entitlements(world, case)
    for row in lines(case, "candidates"):
        make_candidate(world.seats[row["subscription"]], row["state"], date.fromisoformat(case["question"]["date"]))
    return world


def make_people(world: World, case: dict[str, Any]) -> None:
    known = {row["id"]: row for row in lines(case, "people")}
    named = [row["person"] for row in (*lines(case, "subscriptions"), *lines(case, "allocations")) if row["person"]]
    for name in dict.fromkeys([*known, *named]):
        row = known.get(name, {})
        world.people[name] = Person.objects.create(
            key=name,
            name=f"Person {name}",
            department=row.get("department") or "",
            cost_center=row.get("cost_center") or "",
            country=row.get("country") or "",
            left_on=day(row.get("left_on") or ""),
        )


def make_seats(world: World, case: dict[str, Any]) -> None:
    history: dict[str, list[dict[str, str]]] = {}
    for row in lines(case, "subscriptions"):
        history.setdefault(row["id"], []).append(row)
    for name, versions in history.items():
        versions.sort(key=lambda row: row["since"])
        world.seats[name] = make_seat(world, versions)


def make_seat(world: World, versions: list[dict[str, str]]) -> Subscription:
    """The seat as its last version has it. Where that one is over, the seat has ended then."""
    last, first = versions[-1], versions[0]
    since, until = (moment(date.fromisoformat(last["since"])), day(last["until"]))
    facts = facts_of(world, last)
    person = facts.pop("person")
    ended = moment(until) if until else None
    seat = factories.subscription(
        profile=world.profiles[last["profile"]],
        external_id=last["external_id"],
        assigned_at=moment(date.fromisoformat(last["assigned_on"])) if last["assigned_on"] else None,
        first_seen_at=moment(date.fromisoformat(first["since"])),
        valid_since=ended or since,
        ended_at=ended,
        **facts,
    )
    if person:
        factories.match(seat, person, at=since)
    former = versions if ended else versions[:-1]
    for row in former:
        SubscriptionVersion.objects.create(
            subscription=seat,
            since=moment(date.fromisoformat(row["since"])),
            until=moment(date.fromisoformat(row["until"])),
            listed=True,
            **facts_of(world, row),
        )
    return seat


def facts_of(world: World, row: dict[str, str]) -> dict[str, Any]:
    return {
        "identifier": identifier_of(world, row["profile"], row["model"]),
        "status": row["status"],
        "consumes_license": row["consumes"] == "1",
        "excluded": row["excluded"] == "1",
        "person": world.people.get(row["person"]),
    }


def identifier_of(world: World, profile: str, model: str) -> SubscriptionIdentifier:
    vendor = world.profiles[profile].vendor
    if (vendor, model) not in world.identifiers:
        world.identifiers[vendor, model] = SubscriptionIdentifier.objects.create(
            vendor=vendor, identifier=f"type {model or 'unknown'}", software_model=world.models.get(model)
        )
    return world.identifiers[vendor, model]


def make_entitlements(world: World, case: dict[str, Any]) -> None:
    for row in lines(case, "entitlements"):
        world.entitlements[row["id"]] = Entitlement.objects.create(
            software_model=world.models[row["model"]],
            state=row["state"],
            purchased_rights=int(row["purchased_rights"] or 0),
            unlimited=row["unlimited"] == "1",
            start=day(row["start"]),
            end=day(row["end"]),
            retired_on=day(row["retired_on"]),
            period=row["period"],
            unit_cost=number(row["unit_cost"]),
            total_cost=number(row["total_cost"]),
            currency=row["currency"],
            renews=world.entitlements.get(row["renews"]),
            notice_days=int(row["notice_days"] or 30),
            minimum_rights=int(row["minimum_rights"] or 0),
        )
    for row in lines(case, "allocations"):
        Allocation.objects.create(
            entitlement=world.entitlements[row["entitlement"]],
            person=world.people[row["person"]],
            quantity=int(row["quantity"]),
            assigned_on=day(row["assigned_on"]),
            released_on=day(row["released_on"]),
        )


def make_candidate(seat: Subscription, state: str, on: date) -> RemovalCandidate:
    closed = moment(on) if State(state) in CLOSED else None
    return factories.candidate(seat, state=state, opened_at=moment(on), closed_at=closed)


def reconcile_as_of(on: date | None, *, now: datetime, **question: Any) -> ReconciliationRun:
    """Ask and let a worker answer."""
    asked, fresh = recompute.request(ask(on, now=now, **question), by=None, now=now)
    assert asked and fresh and asked.run
    answer(asked, now=now)
    asked.refresh_from_db()
    return asked


def answer(asked: ReconciliationRun, *, now: datetime) -> None:
    job = execute.claim(asked.run_id or 0)
    assert job
    reconcile.run(job, now=now)
    job.finish(JobRun.State.SUCCEEDED)


def amount(value: Decimal | None, currency: str) -> str | None:
    return None if value is None else str(money.rounded(value, currency))


def describe_models(world: World, run: ReconciliationRun) -> dict[str, Any]:
    found = MetricResult.objects.filter(model_result__product_result__run=run)
    return {
        world.name_of("models", one.model_result.software_model_id): describe_metric(world, one, run)
        for one in found.select_related("model_result")
    }


def describe_metric(world: World, one: MetricResult, run: ReconciliationRun) -> dict[str, Any]:
    uncovered = SeatResult.objects.filter(metric_result=one, covered_by=SeatResult.Covered.NONE)
    told: dict[str, Any] = {name: getattr(one, name) for name in COUNTS}
    told |= {
        "status": one.status,
        "owned": "unlimited" if one.unlimited else one.owned,
        "available": "unlimited" if one.available is None else one.available,
        "unlicensed": sorted(world.name_of("seats", seat) for seat in uncovered.values_list("subscription", flat=True)),
        "price": None if one.price is None else str(one.price.quantize(Decimal("0.0001"))),
        "currency": one.currency,
        "flags": one.flags,
        "annual_spend": one.annual_spend,
        "options": [describe_option(option) for option in one.options.all()],
        **{name: amount(getattr(one, name), one.currency) for name in AMOUNTS},
    }
    assert one.unlicensed == len(told["unlicensed"])
    if run.group != "none":
        told["groups"] = {
            name_of_group(group, run.group): {
                "in_use": group.in_use,
                "unlicensed": group.unlicensed,
                "cost_share": amount(group.cost_share, one.currency),
            }
            for group in one.groups.all()
        }
    return told


def name_of_group(group: Any, kind: str) -> str:
    missing = {"": group.value, "user": "No user", "value": f"No {kind.replace('_', ' ')}"}
    return missing[group.missing]


def describe_option(option: Any) -> dict[str, Any]:
    told = {"kind": option.kind, "rights": option.rights, "affects_compliance": option.affects_compliance}
    if option.kind != option.Kind.PURCHASE:
        return {**told, "cost": str(option.cost.normalize())}
    told["cost"] = amount(option.cost, option.currency)
    if option.until:
        told |= {"until": option.until.isoformat(), "cost_until": amount(option.cost_until, option.currency)}
    return told


def describe_tiers(run: ReconciliationRun) -> tuple[dict[str, Any], dict[str, Any]]:
    """Products and publishers."""
    products = list(ProductResult.objects.filter(run=run))
    names = (*SUMS, *AMOUNTS, "annual_spend")
    told = {
        f"{one.publisher} | {one.product}": {
            "models": one.model_count,
            **{name: getattr(one, name) for name in names},
        }
        for one in products
    }
    publishers = {}
    for publisher in {one.publisher for one in products}:
        sums = tiers.sum_products(one for one in products if one.publisher == publisher)
        publishers[publisher] = {"models": sums["model_count"], **{name: sums[name] for name in names}}
    return told, publishers


def describe_renewals(world: World, run: ReconciliationRun, on: date, options: dict[str, int]) -> list[dict[str, Any]]:
    found = MetricResult.objects.filter(model_result__product_result__run=run).select_related("model_result")
    needs = renewals.needs_of({one.model_result.software_model_id or 0: one for one in found})
    advice = renewals.advise(Book.read(), needs, on, horizon=options["days"], headroom=options["headroom"])
    return [
        {
            "entitlement": world.name_of("entitlements", one.entitlement.pk),
            "renewal": one.renewal.isoformat(),
            "reduce_by": one.reduce_by.isoformat(),
            "days_left": one.days_left,
            "too_late": one.is_too_late,
            "rights": one.entitlement.purchased_rights,
            "recommended": one.recommended,
            "change": one.change,
            "yearly_change": amount(one.yearly_change, one.entitlement.currency),
            "currency": one.entitlement.currency,
        }
        for one in advice
    ]

"""Remedy *create allocations*: reserve rights for people who use a subscription without one.

1. `list_rows`: whose subscriptions are covered by no allocation, in the order in which rights cover them.
2. `run`: allocate rights of the entitlements in force to those who were picked, and have the position computed anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from subscriptions import recompute, remedy_states
from subscriptions.entitlements import allocate
from subscriptions.models import Allocation, Entitlement, MetricResult, Person, SeatResult
from subscriptions.remedies import words
from subscriptions.usage import held_rights

MOST = 200
NO_RIGHT = "no right is free for them"
GONE = "somebody has no subscription without an allocation any more"


@dataclass(frozen=True)
class Allocatable:
    """A person with subscriptions that no allocation covers. `is_ticked` is what the remedy asks for."""

    person: Person
    rights: int
    has_gone: bool
    is_ticked: bool


def list_rows(metric: MetricResult, rights: int) -> list[Allocatable]:
    """Whom rights can be allocated to, `rights` of them ticked; leavers are not. At most `MOST` subscriptions."""
    seats = SeatResult.objects.filter(metric_result=metric, person__isnull=False)
    open_ones = seats.exclude(covered_by=SeatResult.Covered.ALLOCATION).select_related("person")
    rows = [one for one in open_ones.order_by("-covered_by", "rank")[:MOST] if one.person is not None]
    counts = Counter(one.person_id for one in rows)
    by_person = {one.person_id: one for one in rows}
    found, wanted = [], rights
    for key, count in counts.items():
        seat = by_person[key]
        is_ticked = not seat.is_leaver and count <= wanted
        wanted -= count if is_ticked else 0
        if seat.person is not None:
            found.append(Allocatable(seat.person, count, seat.is_leaver, is_ticked))
    return found


@transaction.atomic
def run(option_key: int, keys: Iterable[int], *, by: User, now: datetime) -> tuple[int, list[str]]:
    """Allocate rights to the picked people. Returns how many rights, and who got none and why.

    Raises `remedy_states.NotApplicable`.
    """
    option = remedy_states.lock(option_key)
    today, metric = timezone.localtime(now).date(), option.metric_result
    model = metric.model_result.software_model_id or 0
    rows = {row.person.pk: row for row in list_rows(metric, option.rights)}
    pool = held_rights.in_force(model, today)
    given, problems = 0, []
    for key in keys:
        row = rows.get(key)
        if row is None:
            problems.append(GONE)
            continue
        try:
            given += _allocate(row, pool, today, by)
        except ValidationError as problem:
            problems.append(f"{row.person}: {' '.join(problem.messages)}")
    note = words.describe_done(given, "allocated", problems)
    remedy_states.finish(option, by=by, now=now, note=note, has_errors=bool(problems))
    recompute.request_for_model(model, by=by, now=now)
    return given, problems


def _allocate(row: Allocatable, pool: Iterable[Entitlement], today: date, by: User) -> int:
    """Rights of the first entitlement that has enough of them. Raises `ValidationError`."""
    entitlement = next((one for one in pool if allocate.free_rights(one, today) >= row.rights), None)
    if entitlement is None:
        raise ValidationError(f"{NO_RIGHT}.")
    held = Allocation.objects.open().filter(entitlement=entitlement, person=row.person).first()
    with transaction.atomic():
        if held is not None:
            allocate.release(held, on=today, by=by)
        quantity = row.rights + (held.quantity if held else 0)
        source = Allocation.Source.CREATE_ALLOCATIONS
        allocate.assign(entitlement, row.person, quantity, on=today, by=by, source=source)
    return row.rights

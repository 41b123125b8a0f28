"""Remedy *remove allocations*: take back rights that are allocated to people who have no subscription for them.

1. `list_rows`: who has more rights than subscriptions, leavers first, then those who were assigned last.
2. `run`: release what was picked, as far as it is still not in use, and have the position computed anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from subscriptions import recompute, remedy_states
from subscriptions.entitlements import allocate
from subscriptions.models import Allocation, MetricResult, Person
from subscriptions.remedies import words
from subscriptions.usage import held_rights

MOST = 200
GONE = "an allocation is in use meanwhile, or was released already"


@dataclass(frozen=True)
class Removable:
    """An allocation with rights that its person does not use. `is_ticked` is what the remedy asks for."""

    allocation: Allocation
    person: Person
    idle: int
    has_gone: bool
    is_ticked: bool


def list_rows(metric: MetricResult, rights: int, *, day: date) -> list[Removable]:
    """The rights that can be taken back, the best ones first, `rights` of them ticked. At most `MOST` people."""
    model = metric.model_result.software_model_id or 0
    idle_people = held_rights.list_people(model, day).filter(idle__gt=0)
    people = {one.pk: one for one in idle_people.order_by("-has_gone", "-idle", "name", "pk")[:MOST]}
    held = held_rights.list_allocations(held_rights.in_force(model, day), day).filter(person__in=people)
    left = {key: one.idle for key, one in people.items()}
    places = {key: place for place, key in enumerate(people)}
    rows, wanted = [], rights
    ordered = held.select_related("entitlement").order_by("-assigned_on", "-pk")
    for one in sorted(ordered, key=lambda row: places[row.person_id]):
        idle = min(left[one.person_id], one.quantity)
        if idle:
            left[one.person_id] -= idle
            person = people[one.person_id]
            rows.append(Removable(one, person, idle, person.has_gone, wanted > 0))
            wanted -= idle
    return rows


@transaction.atomic
def run(option_key: int, keys: Iterable[int], *, by: User, now: datetime) -> tuple[int, list[str]]:
    """Release the picked allocations. Returns the rights that are free now, and who kept theirs and why.

    Raises `remedy_states.NotApplicable`.
    """
    option = remedy_states.lock(option_key)
    today, metric, model = timezone.localtime(now).date(), option.metric_result, option.metric_result.model_result
    removable = {row.allocation.pk: row for row in list_rows(metric, option.rights, day=today)}
    freed, problems = 0, []
    for key in keys:
        row = removable.get(key)
        if row is None:
            problems.append(GONE)
            continue
        try:
            freed += _release(row, today, by)
        except ValidationError as problem:
            problems.append(f"{row.person}: {' '.join(problem.messages)}")
    note = words.describe_done(freed, "taken back", problems)
    remedy_states.finish(option, by=by, now=now, note=note, has_errors=bool(problems))
    recompute.request_for_model(model.software_model_id or 0, by=by, now=now)
    return freed, problems


def _release(row: Removable, today: date, by: User) -> int:
    """Free the rights that are not in use; the person keeps the others."""
    with transaction.atomic():
        allocate.release(row.allocation, on=today, by=by)
        if rest := row.allocation.quantity - row.idle:
            source = Allocation.Source.CREATE_ALLOCATIONS
            allocate.assign(row.allocation.entitlement, row.person, rest, on=today, by=by, source=source)
    return row.idle

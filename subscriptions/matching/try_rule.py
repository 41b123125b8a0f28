# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Try a user resolution rule, saved or not, without changing anything.

1. Count what it would match among the current seats of its profiles if it were the only rule.
2. Show a sample: first seats without a user, then seats that have another user now, then the rest.
3. If it matches nothing, show which values it looked up and which values the directory has.

The number of queries depends neither on the number of seats nor on that of profiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.models import Person, PersonAddress, ResolutionRule
from subscriptions.users import claims, find

SAMPLE, MISSES, KNOWN = 20, 8, 3
NEW, OTHER, STAYS = 0, 1, 2  # the order in which they are shown; a match made by hand stays


@dataclass(frozen=True)
class Miss:
    """The value of a seat, what the rule made of it, and how many people have that: none, or too many."""

    value: str
    looked_for: str
    people: int


@dataclass(frozen=True)
class Trial:
    """What a rule would match on its own. `new` seats have no user now, `other` have another user by another rule.

    `sample` holds (seat, person) keys. `misses` and `known` (values in the directory) are filled only without a match.
    """

    seats: int = 0
    people: int = 0
    new: int = 0
    other: int = 0
    sample: list[tuple[int, int]] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    known: list[str] = field(default_factory=list)


def run(rule: ResolutionRule, profiles: Sequence[IntegrationProfile]) -> Trial:
    """Try the rule on all current seats of these profiles."""
    if not profiles:
        return Trial()
    today = timezone.localdate()
    claims.store_claims([rule.lookup], claims.STORED, today)
    trial = _count_matches(rule, profiles, today)
    claims.drop_claims()
    return trial


def _count_matches(rule: ResolutionRule, profiles: Sequence[IntegrationProfile], today: date) -> Trial:
    select, values = find.select_matches(rule, profiles)
    found = (
        f"WITH found AS ({select}), compared AS ("
        f"SELECT f.seat_id, f.person_id, CASE WHEN m.person_id IS NULL THEN {NEW} "
        f"WHEN m.person_id <> f.person_id AND m.rule_id IS NOT NULL THEN {OTHER} ELSE {STAYS} END AS side "
        f"FROM found f LEFT JOIN {find.MATCHES} m ON m.subscription_id = f.seat_id)"
    )
    given = [rule.pk or 0, *values]
    sides = f"count(CASE side WHEN {NEW} THEN 1 END), count(CASE side WHEN {OTHER} THEN 1 END)"
    numbers = sql.fetch_row(f"{found} SELECT count(*), count(DISTINCT person_id), {sides} FROM compared", given)
    if not numbers[0]:
        return Trial(misses=_list_misses(rule, profiles, today), known=_known_values(rule))
    first = f"SELECT seat_id, person_id FROM compared ORDER BY side, seat_id LIMIT {SAMPLE}"
    sample = [(int(seat), int(person)) for seat, person in sql.fetch_rows(f"{found} {first}", given)]
    seats, people, new, other = map(int, numbers)
    return Trial(seats=seats, people=people, new=new, other=other, sample=sample)


def _list_misses(rule: ResolutionRule, profiles: Sequence[IntegrationProfile], today: date) -> list[Miss]:
    """The first seats that have the value the rule reads, each with the value that was looked up and its result."""
    value, values = find.looked_up_value(rule)
    condition, keys = find.seats_condition(rule, profiles)
    read = "t.employee_id" if rule.source == ResolutionRule.Source.EMPLOYEE_ID else "t.email"
    seats = f"SELECT t.id, {read} AS has, {value} AS wanted FROM {find.SEATS} t WHERE {condition}"
    claimed, moment = claims.select_claims(rule.lookup, claims.STORED, today)
    return [
        Miss(has, wanted, int(people))
        for has, wanted, people in sql.fetch_rows(
            f"WITH asked AS ({seats} ORDER BY t.id LIMIT {MISSES}) "
            f"SELECT a.has, a.wanted, count(DISTINCT p.person_id) FROM asked a "
            f"LEFT JOIN ({claimed}) p ON p.found_by = a.wanted "
            f"GROUP BY a.id, a.has, a.wanted ORDER BY a.id",
            [*values, *keys, *moment],
        )
    ]


def _known_values(rule: ResolutionRule) -> list[str]:
    if rule.lookup == ResolutionRule.Lookup.KEY:
        return list(Person.objects.order_by("pk").values_list("key", flat=True)[:KNOWN])
    return list(PersonAddress.objects.values_list("address", flat=True)[:KNOWN])

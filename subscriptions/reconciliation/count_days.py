# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Count the seats in use at the ends of several days at once, by seat type.

A seat's facts stand for an interval: the present ones since `valid_since`, former ones from `since` up to `until`. Each
interval is read once. It says on which of the days the seat begins to count and on which it no longer does, and what
there was on a day is the sum of that. Only accounts that two profiles of a team may list are compared day by day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate
from typing import Any

from samsaas.lib import bulk, sql
from samsaas.lib.snapshot import read_snapshot
from subscriptions.counting import shared_profiles
from subscriptions.history import SEATS, VERSIONS, driver_time, places
from subscriptions.question import end_of
from subscriptions.reconciliation.read_facts import PROFILES

CONSUMING = "NOT excluded AND consumes_license"
AT_ONCE = 31  # days for which accounts in several profiles are compared by one statement


def count_by_identifier(days: Sequence[date]) -> Iterator[tuple[date, int, int]]:
    """Each of these consecutive days, that are over, with every seat type that was in use then, and its number."""
    if not days:
        return
    with read_snapshot():
        shared = shared_profiles()
        changes = _read_changes(days, shared)
        twice = list(_count_shared(days, shared)) if shared else []
    counts = {key: list(accumulate(steps))[:-1] for key, steps in changes.items()}
    for place, identifier, number in twice:
        counts.setdefault(identifier, [0] * len(days))[place] += number
    for identifier, numbers in counts.items():
        yield from ((day, identifier, number) for day, number in zip(days, numbers, strict=True) if number)


def _read_changes(days: Sequence[date], shared: Sequence[int]) -> Mapping[int, list[int]]:
    """For every seat type: how many more seats there are on each day than on the one before."""
    ends = [driver_time(end_of(day)) for day in days]
    facts, values = _intervals(ends[0], ends[-1])
    alone = f"profile_id NOT IN ({places(shared)})" if shared else "1 = 1"
    rows = sql.fetch_rows(
        f"SELECT identifier_id, {_place_of('since', ends)} AS first, {_place_of('until', ends)} AS beyond, count(*) "
        f"FROM ({facts}) f WHERE {alone} GROUP BY 1, 2, 3",
        [*ends, *ends, *values, *shared],
    )
    changes: dict[int, list[int]] = defaultdict(lambda: [0] * (len(days) + 1))
    for identifier, first, beyond, number in rows:
        changes[identifier][first] += number
        changes[identifier][beyond] -= number
    return changes


def _intervals(first: Any, last: Any) -> tuple[str, list[Any]]:
    """A SELECT of the intervals of seats with a license that may hold an end of the days, with its parameters.

    `until` is empty where the facts are those of today.
    """
    columns = "identifier_id, t.profile_id, t.external_id"
    return (
        f"SELECT t.{columns}, t.valid_since AS since, NULL AS until FROM {SEATS} t "
        f"WHERE t.ended_at IS NULL AND {CONSUMING} AND t.valid_since < %s UNION ALL "
        f"SELECT v.{columns}, v.since, v.until FROM {VERSIONS} v JOIN {SEATS} t ON t.id = v.subscription_id "
        f"WHERE v.listed AND NOT v.excluded AND v.consumes_license AND v.since < %s AND v.until >= %s",
        [last, last, first],
    )


def _place_of(moment: str, ends: Iterable[Any]) -> str:
    """The place of the first day that ends after the moment; behind the last one if there is none, or no moment."""
    found = [f"WHEN {moment} < %s THEN {place}" for place, _ in enumerate(ends)]
    return f"CASE WHEN {moment} IS NULL THEN {len(found)} {' '.join(found)} ELSE {len(found)} END"


def _count_shared(days: Sequence[date], shared: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """As place of the day, seat type and number: of an account in several profiles of a team the first one counts."""
    numbered = list(enumerate(driver_time(end_of(day)) for day in days))
    for some in bulk.in_slices(numbered, AT_ONCE):
        yield from _count_shared_on(some, shared)


def _count_shared_on(days: Sequence[tuple[int, Any]], shared: Sequence[int]) -> list[tuple[Any, ...]]:
    ends = [end for _, end in days]
    facts, values = _intervals(ends[0], ends[-1])
    asked = " UNION ALL ".join(f"SELECT {place} AS place, %s AS ends" for place, _ in days)
    return sql.fetch_rows(
        f"""
        SELECT place, identifier_id, count(*) FROM (
            SELECT d.place, f.identifier_id, row_number() OVER (
                PARTITION BY d.place, p.vendor, p.team_id, f.external_id ORDER BY f.profile_id
            ) AS nth
            FROM ({facts}) f JOIN {PROFILES} p ON p.id = f.profile_id
            JOIN ({asked}) d ON f.since < d.ends AND (f.until IS NULL OR f.until >= d.ends)
            WHERE f.profile_id IN ({places(shared)})
        ) ranked WHERE nth = 1 GROUP BY 1, 2
        """,
        [*values, *ends, *shared],
    )

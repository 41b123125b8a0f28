"""What a change of a rule would do: who enters and who leaves, the sums per reason before and after, and the money.

Every listed seat of the rule is judged by the stored settings and by the new ones in one statement for each profile, so
both columns add up to the same seats. Open candidates are left out of account, and counted apart: a find closes those
about which nobody was asked yet, and the others go on with the settings that they were asked under.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, Value, When

from reclamation import workflow
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.reasons import NOT_KNOWN, Decision, split_verdict
from reclamation.rules.scope import Scope
from reclamation.verdicts import judge_seats, match_conditions

MOST_NAMES = 50
NONE, NOT_ASKED, ASKED = "", "not_asked", "asked"
IS_OUT = Q(verdict__startswith="no:")
IS_OUT_AFTER = Q(after__startswith="no:")
ENTERS, LEAVES = IS_OUT & ~IS_OUT_AFTER, ~IS_OUT & IS_OUT_AFTER
RELATED = ("profile", "match__person")


@dataclass(frozen=True)
class ReasonChange:
    """How many subscriptions have one verdict before and after."""

    verdict: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before

    @property
    def signed(self) -> str:
        """The difference with its sign; empty where there is none."""
        return f"{self.difference:+,}".replace("-", "−") if self.difference else ""

    @property
    def is_proposed(self) -> bool:
        return not self.verdict.startswith(f"{Decision.NO.value}:")


@dataclass(frozen=True)
class Preview:
    """The effect of a change on the listed subscriptions of a rule.

    `entering` and `leaving` are how many, `enters` and `leaves` the first of them. `closing` of those that leave have a
    candidate that the next find closes; `going_on` have one that goes on. `matching` counts those that the conditions
    match, None without conditions.
    """

    rows: tuple[ReasonChange, ...]
    entering: int
    leaving: int
    closing: int
    going_on: int
    enters: tuple[Any, ...]
    leaves: tuple[Any, ...]
    matching: int | None

    @property
    def total(self) -> int:
        return sum(row.before for row in self.rows)

    @property
    def before(self) -> int:
        return sum(row.before for row in self.rows if row.is_proposed)

    @property
    def after(self) -> int:
        return sum(row.after for row in self.rows if row.is_proposed)


def run(before: ReclamationRule, after: ReclamationRule, scope: Scope) -> Preview:
    """Compare two settings of one rule. Two statements for each profile and one for the conditions."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for standing in scope.standings:
        grouped = _judge_twice(before, after, scope, standing).annotate(candidate=_candidate_state())
        groups = grouped.order_by().values_list("verdict", "after", "candidate").annotate(Count("pk"))
        for old, new, candidate, number in groups:
            counted[old, new, candidate] += number
    moved = {key: number for key, number in counted.items() if _is_out(key[0]) != _is_out(key[1])}
    leaving = {key: number for key, number in moved.items() if _is_out(key[1])}
    closing = sum(number for key, number in leaving.items() if key[2] == NOT_ASKED and _closes(key[1]))
    with_candidate = sum(number for key, number in leaving.items() if key[2] != NONE)
    return Preview(
        rows=_compare(counted),
        entering=sum(moved.values()) - sum(leaving.values()),
        leaving=sum(leaving.values()),
        closing=closing,
        going_on=with_candidate - closing,
        enters=_first(before, after, scope, ENTERS) if sum(moved.values()) > sum(leaving.values()) else (),
        leaves=_first(before, after, scope, LEAVES) if leaving else (),
        matching=_count_matching(after, scope),
    )


def iterate_moves(before: ReclamationRule, after: ReclamationRule, scope: Scope) -> Iterator[Any]:
    """Every seat that enters or leaves, with `verdict` and `after`, read in pieces."""
    for standing in scope.standings:
        rows = _judge_twice(before, after, scope, standing).filter(ENTERS | LEAVES)
        yield from rows.select_related(*RELATED).order_by("display_name", "pk").iterator(chunk_size=2000)


def money(count: int, rule: ReclamationRule) -> Decimal | None:
    """What so many licenses cost a year; None where the cost of the software model is not known."""
    cost = rule.software_model.cost_override
    return None if cost is None else count * cost


def _judge_twice(before: ReclamationRule, after: ReclamationRule, scope: Scope, standing: Any) -> Any:
    verdict = judge_seats(standing, scope.book(after), ignore_candidate=True)
    return scope.judge(standing, before).annotate(after=verdict)


def _candidate_state() -> Case:
    """Whether the seat has an open candidate, and whether anybody was asked about it."""
    open_ones = RemovalCandidate.objects.open().filter(subscription=OuterRef("pk"))
    early = open_ones.filter(state__in=workflow.BEFORE_ASKING, rule__isnull=False)
    whens = (When(Exists(early), then=Value(NOT_ASKED)), When(Exists(open_ones), then=Value(ASKED)))
    return Case(*whens, default=Value(NONE), output_field=CharField())


def _compare(counted: Counter[tuple[str, str, str]]) -> tuple[ReasonChange, ...]:
    """A row for each verdict, proposed ones first, then by number."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for (old, new, _), number in counted.items():
        before[old] += number
        after[new] += number
    rows = [ReasonChange(verdict, before[verdict], after[verdict]) for verdict in {*before, *after}]
    return tuple(sorted(rows, key=lambda row: (not row.is_proposed, -max(row.before, row.after), row.verdict)))


def _first(before: ReclamationRule, after: ReclamationRule, scope: Scope, condition: Q) -> tuple[Any, ...]:
    """The first by name of those that meet the condition."""
    found: list[Any] = []
    for standing in scope.standings:
        rows = _judge_twice(before, after, scope, standing).filter(condition).select_related(*RELATED)
        found += rows.order_by("display_name", "pk")[:MOST_NAMES]
    return tuple(sorted(found, key=lambda seat: (seat.display_name, seat.pk))[:MOST_NAMES])


def _count_matching(rule: ReclamationRule, scope: Scope) -> int | None:
    if not rule.conditions:
        return None
    matching: int = scope.all_seats().filter(match_conditions(rule.conditions)).count()
    return matching


def _is_out(verdict: str) -> bool:
    return split_verdict(verdict)[0] == Decision.NO


def _closes(verdict: str) -> bool:
    """Whether a find closes a candidate with this verdict. Where nothing is known at the moment, it stays."""
    return split_verdict(verdict)[1] not in NOT_KNOWN

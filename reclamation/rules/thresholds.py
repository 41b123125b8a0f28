"""How many subscriptions a rule would propose with another threshold: one answer for every number of days.

A higher threshold never proposes more. So each seat has a last threshold that still proposes it, and counting those by
day answers for all thresholds at once, with one statement for each profile. What the threshold does not change (guards,
exemptions, conditions, leavers, invitations) is asked as the find asks it: with the lowest threshold that is possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, TruncDate
from django.utils import timezone

from reclamation.models import ReclamationRule
from reclamation.models.rule import RANGES
from reclamation.reasons import PROPOSABLE, Decision, Reason, as_verdict
from reclamation.rules.scope import Scope
from subscriptions.models import Subscription
from subscriptions.models.vendor_moment import VendorMomentField

LOWEST, HIGHEST = RANGES["threshold_days"]
DRAWN = 365  # the last threshold of the chart
MOMENT = VendorMomentField()
BEGINNING = Value(datetime(2000, 1, 1, tzinfo=UTC), output_field=MOMENT)
INSTANT = timedelta(microseconds=1)
WHATEVER_THE_THRESHOLD = [as_verdict(Decision.PROPOSE, reason) for reason in (Reason.LEAVER, Reason.INVITED)]
PROPOSED = [as_verdict(Decision.PROPOSE, reason) for reason in PROPOSABLE]


@dataclass(frozen=True)
class ThresholdCounts:
    """The number of proposed subscriptions for each threshold from `LOWEST` on.

    Those that have an open candidate already count; a rule that only observes is counted as if it proposed.
    """

    numbers: tuple[int, ...]

    def at(self, days: int) -> int:
        """The number for one threshold of `LOWEST` to `HIGHEST` days."""
        return self.numbers[days - LOWEST]


def count_by_threshold(rule: ReclamationRule, scope: Scope) -> ThresholdCounts:
    """Count for every threshold how many of the listed seats the rule would propose if nothing else changed."""
    last_ones: Counter[int] = Counter()
    for standing in scope.standings:
        last_ones.update(_count_last_thresholds(rule, scope, standing))
    found = [last_ones[days] for days in range(LOWEST, HIGHEST + 1)]
    return ThresholdCounts(tuple(reversed(list(accumulate(reversed(found))))))


def covered_days(scope: Scope) -> int | None:
    """The highest threshold for which activity was read in any of the profiles; None where none was read.

    A subscription that became known later may have a lower one.
    """
    today = timezone.localtime(scope.now).date()
    since = [one.since for standing in scope.standings for one in standing.knowledge.reaches]
    return max((_last_threshold(_day_before(moment), today) for moment in since), default=None)


def _count_last_thresholds(rule: ReclamationRule, scope: Scope, standing: Any) -> Counter[int]:
    """How many seats of a profile have which last threshold. One statement."""
    lowest = copy(rule)
    lowest.threshold_days, lowest.mode, lowest.observe_until = LOWEST, ReclamationRule.Mode.PROPOSE, None
    proposed = scope.judge(standing, lowest).filter(verdict__in=PROPOSED)
    day = TruncDate(_decisive_moment(), tzinfo=timezone.get_current_timezone())
    rows = proposed.annotate(decisive=day).order_by().values_list("decisive").annotate(Count("pk"))
    today = timezone.localtime(scope.now).date()
    return _add_up((_last_threshold(decisive, today), number) for decisive, number in rows)


def _add_up(rows: Iterable[tuple[int, int]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for days, number in rows:
        found[min(days, HIGHEST)] += number
    return found


def _decisive_moment() -> Case:
    """The latest moment that the threshold has to leave behind: rows 17a to 22 of the specification's section 4.

    Use counts from the midnight on at which the threshold begins, and coverage has to begin by then, so the latter
    counts from the instant before.
    """
    used, restored, returned, suspended = (
        Coalesce(F(column), BEGINNING, output_field=MOMENT)
        for column in ("last_activity__at", "restored_at", "returned_at", "suspended_at")
    )
    since = Case(
        When(Q(status=Subscription.Status.SUSPENDED), then=suspended), default=BEGINNING, output_field=MOMENT
    )
    began = Case(When(last_activity=None, then=F("began")), default=BEGINNING, output_field=MOMENT)
    moments = Greatest(used, restored, returned, since, began, F("vouched_from") - INSTANT, output_field=MOMENT)
    always = When(verdict__in=WHATEVER_THE_THRESHOLD, then=BEGINNING)
    return Case(always, default=moments, output_field=MOMENT)


def _last_threshold(decisive: date, today: date) -> int:
    """The highest threshold whose first midnight comes after this day."""
    return (today - decisive).days


def _day_before(covered_since: datetime) -> date:
    return timezone.localtime(covered_since - INSTANT).date()

"""What the real removals of rules did: how many were restored, or regretted because use was learned late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from reclamation.back_tests.regret_rate import RegretRate
from reclamation.models import RemovalAttempt


@dataclass(frozen=True)
class MeasuredRegret:
    """Removals by one rule. `regretted` counts each that was restored or raised an alarm once."""

    removed: int = 0
    restored: int = 0
    alarms: int = 0
    regretted: int = 0

    @property
    def rate(self) -> RegretRate:
        return RegretRate(self.regretted, self.removed)


def of_rules(rules: Iterable[int]) -> dict[int, MeasuredRegret]:
    """The measured regret of each rule that removed somebody, by the key of the rule. One query."""
    restored, alarm = Q(restored_at__isnull=False), Q(regret_at__isnull=False)
    made = RemovalAttempt.objects.filter(candidate__rule__in=rules, dry_run=False, withdrawn_at__isnull=False)
    counted = (
        made.order_by()
        .values_list("candidate__rule")
        .annotate(
            removed=Count("pk"),
            restored=Count("pk", filter=restored),
            alarms=Count("pk", filter=alarm),
            regretted=Count("pk", filter=restored | alarm),
        )
    )
    return {rule: MeasuredRegret(*figures) for rule, *figures in counted if rule}


def of_rule(rule: int) -> MeasuredRegret:
    """The measured regret of one rule."""
    return of_rules([rule]).get(rule, MeasuredRegret())

"""What the real removals of rules did: how many were restored, or regretted because use was learned late."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from reclamation.back_tests.regret_rate import RegretRate
from reclamation.models import RemovalAttempt

RESTORED, ALARM = Q(restored_at__isnull=False), Q(regret_at__isnull=False)
REGRETTED = RESTORED | ALARM


@dataclass(frozen=True)
class MeasuredRegret:
    """How many accounts were really removed, and how many of those were restored or used shortly before.

    `regretted` counts each of them once; `restored` and `alarms` say why, where that was asked.
    """

    removed: int = 0
    regretted: int = 0
    restored: int = 0
    alarms: int = 0

    @property
    def rate(self) -> RegretRate:
        return RegretRate(self.regretted, self.removed)

    @property
    def is_known(self) -> bool:
        return not self.rate.is_few

    @property
    def share(self) -> str:
        """The share of removals that were regretted; too few to say below ten."""
        return self.rate.percent

    @property
    def sentence(self) -> str:
        """What the share rests on."""
        if not self.removed:
            return "Nothing was removed by this rule yet"
        few = "" if self.is_known else "Too few to say: "
        return f"{few}{self.regretted:,} of {self.removed:,} removed were restored, or used shortly before"

    def __str__(self) -> str:
        return f"{self.share} ({self.regretted:,} of {self.removed:,})" if self.removed else "nothing removed yet"


def real_removals() -> QuerySet[RemovalAttempt]:
    """Attempts that removed somebody."""
    return RemovalAttempt.objects.filter(dry_run=False, withdrawn_at__isnull=False)


def of_rule(rule: int) -> MeasuredRegret:
    """The measured regret of one rule, with what it was regretted for. One query."""
    counted = (
        real_removals()
        .filter(candidate__rule=rule)
        .aggregate(
            removed=Count("pk"),
            regretted=Count("pk", filter=REGRETTED),
            restored=Count("pk", filter=RESTORED),
            alarms=Count("pk", filter=ALARM),
        )
    )
    return MeasuredRegret(**counted)

"""The sums per reason of one rule's subscriptions, profile by profile, as the last find of each counted them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule
from reclamation.rules.scope import Scope
from reclamation.sums import LastFind
from reclamation.why import figures


@dataclass(frozen=True)
class SumsOfProfile:
    """The rows of one profile. Without a find there are none yet."""

    profile: IntegrationProfile
    last: LastFind | None
    rows: list[dict[str, Any]]

    @property
    def total(self) -> int:
        return sum(row["count"] for row in self.rows)

    @property
    def words(self) -> str:
        """The sum as an equation."""
        return figures.equation(self.rows)


def read_sums(rule: ReclamationRule, scope: Scope) -> list[SumsOfProfile]:
    """The sums of every profile that lists subscriptions of the rule. One query."""
    profiles = [standing.profile for standing in scope.standings]
    found = []
    for profile in profiles:
        last = scope.last_finds.get(profile.pk)
        rows = figures.add_up(profile, last.for_rule(rule.pk), str(rule.pk)) if last else []
        found.append(SumsOfProfile(profile, last, rows))
    return found

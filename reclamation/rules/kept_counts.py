"""What the slider of a rule shows of large profiles: counted by each find, and kept with its run.

Counting a million subscriptions takes a second or two, and a page cannot wait for that. The counts are as old as the
find, as the sums per reason beside them are. They hold until the end of its day, for the settings that the rule had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from reclamation.models import ReclamationRule
from reclamation.rules import thresholds
from reclamation.rules.scope import Scope
from reclamation.rules.versions import newest_version
from reclamation.terms import RuleBook, Standing

FACT = "thresholds"
LARGE = 50_000  # listed subscriptions of a profile; fewer are counted while a page waits


def count(standing: Standing, rules: RuleBook, versions: Mapping[int, int], now: datetime) -> list[list[Any]]:
    """The counts of a profile's rules, as the run keeps them: rule, its version, and how many have which threshold."""
    counted = []
    for terms, kinds in rules.by_rule():
        last_ones = thresholds.count_last_ones(terms.rule, Scope(tuple(kinds), (standing,), now), standing)
        counted.append([terms.rule.pk, versions[terms.rule.pk], sorted(last_ones.items())])
    return counted


def read(rule: ReclamationRule, scope: Scope) -> dict[int, Counter[int]]:
    """The counts that still hold, by profile. One query beside that for the finds."""
    version = newest_version(rule)
    as_now = (rule.pk, version.pk if version else None)
    today = timezone.localtime(scope.now).date()
    return {
        profile: Counter(dict(last_ones))
        for profile, find in scope.last_finds.items()
        if timezone.localtime(find.at).date() == today
        for counted_rule, counted_version, last_ones in find.run.facts.get(FACT, ())
        if (counted_rule, counted_version) == as_now
    }

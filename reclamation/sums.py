"""How many subscriptions of a profile have which reason: counted by a find, kept with its run, read by pages.

Each listed subscription is counted once, so the sums add up to all of them. They are as old as the find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from profiles.models import IntegrationProfile, JobRun
from reclamation.reasons import Decision, Reason, split_verdict
from reclamation.terms import RuleBook, Standing
from reclamation.verdicts import with_verdicts
from subscriptions.models import Subscription

FIND = "find_candidates"
FACT = "sums"


@dataclass(frozen=True)
class ReasonSum:
    """How many listed subscriptions of one rule have one decision and reason. `rule` is None for unrecognized ones."""

    rule: int | None
    decision: Decision
    reason: Reason
    count: int

    @property
    def is_proposed(self) -> bool:
        return self.reason == Reason.OPEN_CANDIDATE or self.decision == Decision.PROPOSE


@dataclass(frozen=True)
class LastFind:
    """What the last complete find of a profile found."""

    run: JobRun
    at: datetime
    sums: tuple[ReasonSum, ...]

    def for_rule(self, rule: int | None) -> tuple[ReasonSum, ...]:
        """The sums of one rule's subscriptions."""
        return tuple(one for one in self.sums if one.rule == rule)


def count_reasons(standing: Standing, rules: RuleBook) -> list[list[Any]]:
    """The sums now, as the run keeps them: rule, verdict and number. One statement over the profile's listed seats."""
    listed = Subscription.objects.filter(profile=standing.profile).listed()
    grouped = with_verdicts(listed, standing, rules).order_by().values_list("identifier", "verdict")
    sums: dict[tuple[int | None, str], int] = {}
    for identifier, verdict, count in grouped.annotate(number=Count("pk")):
        terms = rules.terms.get(identifier)
        key = (terms.rule.pk if terms else None, verdict)
        sums[key] = sums.get(key, 0) + count
    return [[rule, verdict, count] for (rule, verdict), count in sorted(sums.items(), key=lambda one: -one[1])]


def of_last_find(profile: IntegrationProfile) -> LastFind | None:
    """The last find of the profile that came to its end; None if there was none."""
    return of_last_finds([profile]).get(profile.pk)


def of_last_finds(profiles: Iterable[IntegrationProfile]) -> dict[int, LastFind]:
    """The last find of each profile that has one. One query."""
    wanted = [profile.pk for profile in profiles]
    finds = JobRun.objects.for_process(FIND).filter(profile__in=wanted, state=JobRun.State.SUCCEEDED)
    newest = finds.order_by().values("profile").annotate(newest=Max("pk")).values("newest")
    runs = JobRun.objects.filter(pk__in=newest)
    return {run.profile_id: _as_find(run) for run in runs if run.profile_id and FACT in run.facts}


def _as_find(run: JobRun) -> LastFind:
    sums = (ReasonSum(rule, *split_verdict(verdict), count) for rule, verdict, count in run.facts[FACT])
    return LastFind(run, run.finished_at or run.created_at, tuple(sums))

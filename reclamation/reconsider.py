"""Look again at candidates about which nobody was asked yet, where their rule has changed or a person never decided.

1. Candidates in Ready or Attention Required that were opened under another version of their rule, or whose seat belongs
   to another model now, are judged by the rule of today. Those it no longer proposes are closed as skipped. Where
   nothing is known at the moment, a candidate stays.
2. Candidates that needed attention for 30 days without a cure are closed as canceled.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q

from profiles.models import IntegrationProfile
from reclamation import workflow
from reclamation.models import RemovalAttempt, RemovalCandidate, RuleVersion
from reclamation.reasons import NOT_KNOWN, Decision, Reason, split_verdict
from reclamation.states import State
from reclamation.terms import RuleBook, Standing
from reclamation.verdicts import with_verdicts
from subscriptions.models import Subscription

BATCH = 500
PATIENCE = timedelta(days=30)
UNDECIDED = "It needed attention for 30 days, and nobody decided."
NOW_RULE = "subscription__identifier__software_model__reclamation_rule"


def judge_again(profile: IntegrationProfile, standing: Standing, rules: RuleBook, now: datetime) -> int:
    """Close the candidates of the profile that their rule, as it is now, does not propose. Returns how many."""
    versions = _newest_versions(rules)
    skipped = 0
    for keys in _batches(profile):
        with transaction.atomic():
            rows = _locked(keys)
            seats = Subscription.objects.filter(pk__in=[one.subscription_id for one in rows])
            judged = with_verdicts(seats, standing, rules, ignore_candidate=True)
            verdicts = {seat.pk: (split_verdict(seat.verdict), seat.identifier_id) for seat in judged}
            for candidate in rows:
                if candidate.subscription_id in verdicts:
                    (decision, reason), kind = verdicts[candidate.subscription_id]
                    skipped += _settle(candidate, decision, reason, rules.terms.get(kind), versions, now)
    return skipped


def _settle(
    candidate: RemovalCandidate,
    decision: Decision,
    reason: Reason,
    terms: Any | None,
    versions: dict[int, int],
    now: datetime,
) -> bool:
    """Close the candidate, and return True, or note the rule it stays with."""
    if decision == Decision.NO:
        if reason in NOT_KNOWN:
            return False
        text = f"The rule no longer proposes it: {reason.label}."
        workflow.apply(candidate, State.CLOSED_SKIPPED, reason=text, now=now)
        return True
    if terms:
        workflow.stay_with_rule(candidate, terms.rule.pk, versions[terms.rule.pk])
    return False


def _batches(profile: IntegrationProfile) -> Iterator[list[int]]:
    """The keys of the candidates to judge again, in batches."""
    changed = Q(rule_version=None) | Q(rule_version__version__lt=F("rule__version"))
    moved = Q(now_rule=None) | Q(now_rule__lt=F("rule")) | Q(now_rule__gt=F("rule"))
    rows = RemovalCandidate.objects.open().filter(
        profile=profile, state__in=workflow.BEFORE_ASKING, rule__isnull=False, subscription__isnull=False
    )
    waiting = rows.annotate(now_rule=F(NOW_RULE)).filter(changed | moved).order_by("pk")
    last = 0
    while keys := list(waiting.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield keys
        last = keys[-1]


def _locked(keys: list[int]) -> list[RemovalCandidate]:
    rows = RemovalCandidate.objects.filter(pk__in=keys, state__in=workflow.BEFORE_ASKING).order_by("pk")
    return list(rows.select_for_update(no_key=True, of=("self",)))


def _newest_versions(rules: RuleBook) -> dict[int, int]:
    """The key of the newest version of each rule, by the rule's key."""
    keys = [terms.rule.pk for terms, _ in rules.by_rule()]
    found = RuleVersion.objects.filter(rule__in=keys, version=F("rule__version")).order_by()
    return dict(found.values_list("rule", "pk"))


def cancel_undecided(now: datetime, profile: IntegrationProfile | None = None) -> int:
    """Close what needed attention for too long, of one profile or of all. Returns how many."""
    open_attempts = RemovalAttempt.objects.filter(candidate=OuterRef("pk"), closed_at=None)
    rows = RemovalCandidate.objects.filter(~Exists(open_attempts), state=State.ATTENTION_REQUIRED)
    if profile is not None:
        rows = rows.filter(profile=profile)
    since = Max("history__at", filter=Q(history__to_state=State.ATTENTION_REQUIRED))
    over = list(
        rows.annotate(since=since).filter(since__lte=now - PATIENCE).order_by("pk").values_list("pk", flat=True)
    )
    return sum(_cancel(key, now) for key in over)


@transaction.atomic
def _cancel(key: int, now: datetime) -> bool:
    locked = RemovalCandidate.objects.select_for_update(no_key=True, of=("self",))
    candidate = locked.filter(pk=key, state=State.ATTENTION_REQUIRED).first()
    if candidate:
        workflow.apply(candidate, State.CLOSED_CANCELED, reason=UNDECIDED, now=now)
    return candidate is not None

"""What became of rules, counted: open candidates, removals and how many of them were regretted, savings, reviews."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from reclamation.back_tests import measured_regret
from reclamation.models import Exemption, ReclamationRule, RemovalCandidate, RuleVersion
from subscriptions.models import Match, Subscription


def with_figures(rules: QuerySet[ReclamationRule]) -> Any:
    """The rules with `open_candidates`, `removed`, `regretted` and `changed_since_review`, for any number of them."""
    attempts = (
        measured_regret.real_removals().filter(candidate__rule=OuterRef("pk")).order_by().values("candidate__rule")
    )
    candidates = RemovalCandidate.objects.open().filter(rule=OuterRef("pk")).order_by().values("rule")
    later = RuleVersion.objects.filter(rule=OuterRef("pk"), at__gt=OuterRef("reviewed_at"))
    return rules.annotate(
        open_candidates=_count(candidates),
        removed=_count(attempts),
        regretted=_count(attempts.filter(measured_regret.REGRETTED)),
        changed_since_review=Exists(later),
    )


def regret_of(rule: Any) -> measured_regret.MeasuredRegret:
    """The measured regret of a rule of `with_figures`."""
    return measured_regret.MeasuredRegret(rule.removed, rule.regretted)


def savings_of(rule: Any) -> Decimal | None:
    """What the licenses of the rule's open candidates cost a year; None where the model's cost is not known."""
    cost: Decimal | None = rule.software_model.cost_override
    return None if cost is None else rule.open_candidates * cost


def keeps_from_rule(rule: ReclamationRule) -> Q:
    """The condition for exemptions that are about at least one listed seat of the rule."""
    seats = Subscription.objects.listed().filter(identifier__software_model=rule.software_model_id)
    own = seats.filter(pk=OuterRef("subscription"))
    matched = Match.objects.filter(person=OuterRef("person"), subscription__ended_at=None)
    of_model = matched.filter(subscription__identifier__software_model=rule.software_model_id)
    return Q(Exists(own)) | Q(Exists(of_model))


def count_exemptions(rule: ReclamationRule, today: date) -> int:
    """How many exemptions valid today keep subscriptions from the rule."""
    return Exemption.objects.valid_on(today).filter(keeps_from_rule(rule)).count()


def count_after_notice(rule: ReclamationRule) -> int:
    """How many subscriptions were used only after their user was asked: notices keep them in use."""
    return RemovalCandidate.objects.filter(rule=rule, after_notice=True).count()


def waiting_for_review() -> QuerySet[ReclamationRule]:
    """The rules that are on and that nobody has reviewed, where there is a subscription that they judge."""
    seats = Subscription.objects.current().filter(identifier__software_model=OuterRef("software_model"))
    rules = ReclamationRule.objects.filter(active=True, reviewed_at=None, software_model__under_management=True)
    return rules.filter(Exists(seats))


def versions_since_review(rule: ReclamationRule) -> QuerySet[RuleVersion]:
    """The versions that nobody has reviewed, newest first; all of them for a rule that was never reviewed."""
    return rule.versions.filter(at__gt=rule.reviewed_at) if rule.reviewed_at else rule.versions.all()


def _count(rows: QuerySet[Any]) -> Coalesce:
    """The number of rows, for a queryset that is grouped by the rule."""
    counted = rows.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)

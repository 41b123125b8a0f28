"""The filter of the subscriptions of a profile by the reason they have now."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import terms
from reclamation.models import ReclamationRule
from reclamation.reasons import PROPOSABLE, Decision, Reason, as_verdict
from reclamation.sentences import REFUSED, label_verdict
from reclamation.terms import Standing
from reclamation.verdicts import with_verdicts
from reclamation.why.figures import NO_MODEL
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import Subscription
from subscriptions.models.subscription import SubscriptionQuerySet

VERDICTS = [
    *(as_verdict(decision, reason) for decision in (Decision.PROPOSE, Decision.OBSERVE) for reason in PROPOSABLE),
    *(as_verdict(Decision.NO, reason) for reason in REFUSED if reason != Reason.ENDED),
]


class ReasonFilter(ListFilter):
    q = search(placeholder="Name, e-mail or id", method="by_text")
    reason = django_filters.ChoiceFilter(
        label="Reason now",
        choices=[(verdict, label_verdict(verdict)) for verdict in VERDICTS],
        empty_label="Any",
        method="by_reason",
    )
    rule = django_filters.ModelChoiceFilter(
        label="Rule",
        queryset=ReclamationRule.objects.all(),
        empty_label="Any",
        null_label="No rule",
        null_value=NO_MODEL,
        method="by_rule",
    )

    class Meta:
        model = Subscription
        fields = ("q", "reason", "rule")

    @cached_property
    def profile(self) -> IntegrationProfile:
        return IntegrationProfile.objects.get(pk=self.request.resolver_match.kwargs["pk"])

    @cached_property
    def rules(self) -> terms.RuleBook:
        return terms.read_rules(self.profile, timezone.now())

    def judge(self, seats: QuerySet[Subscription]) -> Any:
        """The seats with their verdict now."""
        return with_verdicts(seats, Standing.of_profile(self.profile, timezone.now()), self.rules)

    def active_filters(self) -> list[tuple[str, str, str]]:
        """Name the choice without a rule; the value it has in the URL is not for readers."""
        return [
            (name, label, "No rule" if (name, text) == ("rule", NO_MODEL) else text)
            for name, label, text in super().active_filters()
        ]

    def by_text(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        return queryset.search(value)

    def by_reason(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        judged: QuerySet[Subscription] = self.judge(queryset).filter(verdict=value)
        return judged

    def by_rule(self, queryset: QuerySet[Subscription], name: str, value: Any) -> QuerySet[Subscription]:
        if value == NO_MODEL:
            return queryset.filter(identifier__software_model=None)
        return queryset.filter(identifier__in=self.rules.keys_of(value.pk))

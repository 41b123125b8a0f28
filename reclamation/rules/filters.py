"""The filters of the lists of rules, of what they observed, and of exemptions."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from reclamation.models import Exemption, Observation, ReclamationRule, RuleVersion
from reclamation.reasons import PROPOSABLE
from reclamation.rules import figures
from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search

ENDED, ALL = "ended", "all"
YES, NO, CHANGED = "yes", "no", "changed"
ON, OFF = "on", "off"


class RuleFilter(ListFilter):
    q = search(placeholder="Rule or software model", method="by_text")
    mode = django_filters.ChoiceFilter(label="Mode", choices=ReclamationRule.Mode.choices, empty_label="Any")
    active = django_filters.ChoiceFilter(
        label="Creates candidates", choices=[(ON, "Yes"), (OFF, "No")], empty_label="Any", method="by_active"
    )
    review = django_filters.ChoiceFilter(
        label="Review",
        choices=[(NO, "Unreviewed"), (CHANGED, "Changed since"), (YES, "Reviewed")],
        empty_label="Any",
        method="by_review",
    )

    class Meta:
        model = ReclamationRule
        fields = ("q", "mode", "active", "review")

    def by_text(self, queryset: QuerySet[ReclamationRule], name: str, value: str) -> QuerySet[ReclamationRule]:
        model = ("software_model__publisher", "software_model__product", "software_model__edition")
        return text_search.find(queryset, value, "name", *model)

    def by_active(self, queryset: QuerySet[ReclamationRule], name: str, value: str) -> QuerySet[ReclamationRule]:
        return queryset.filter(active=value == ON)

    def by_review(self, queryset: QuerySet[ReclamationRule], name: str, value: str) -> QuerySet[ReclamationRule]:
        later = Exists(RuleVersion.objects.filter(rule=OuterRef("pk"), at__gt=OuterRef("reviewed_at")))
        if value == NO:
            return queryset.filter(reviewed_at=None)
        return queryset.filter(later if value == CHANGED else ~later, reviewed_at__isnull=False)


class ObservationFilter(ListFilter):
    q = search(placeholder="Name or e-mail", method="by_text")
    reason = django_filters.ChoiceFilter(
        label="Reason", choices=[(one.value, one.label) for one in PROPOSABLE], empty_label="Any"
    )

    class Meta:
        model = Observation
        fields = ("q", "reason")

    def by_text(self, queryset: QuerySet[Observation], name: str, value: str) -> QuerySet[Observation]:
        return text_search.find(queryset, value, "subscription__display_name", "subscription__email")


class ExemptionFilter(ListFilter):
    """Without a choice the list shows the exemptions that are valid today."""

    q = search(placeholder="Person, subscription or reason", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State", choices=[(ENDED, "Ended"), (ALL, "All")], empty_label="Valid", method="by_state"
    )

    rule = django_filters.ModelChoiceFilter(
        label="Rule", queryset=ReclamationRule.objects.all(), empty_label="Any", method="by_rule"
    )

    class Meta:
        model = Exemption
        fields = ("q", "state", "rule")

    def filter_queryset(self, queryset: QuerySet[Exemption]) -> QuerySet[Exemption]:
        chosen = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return chosen
        return chosen.filter(pk__in=Exemption.objects.valid_on(timezone.localdate()).values("pk"))

    def by_state(self, queryset: QuerySet[Exemption], name: str, value: str) -> QuerySet[Exemption]:
        if value == ALL:
            return queryset
        return queryset.exclude(pk__in=Exemption.objects.valid_on(timezone.localdate()).values("pk"))

    def by_rule(self, queryset: QuerySet[Exemption], name: str, value: ReclamationRule) -> QuerySet[Exemption]:
        return queryset.filter(figures.keeps_from_rule(value))

    def by_text(self, queryset: QuerySet[Exemption], name: str, value: str) -> QuerySet[Exemption]:
        whose = ("person__name", "person__key", "subscription__display_name", "subscription__email")
        return text_search.find(queryset, value, "reason", *whose)

"""The filter of the list of reconciliations. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import PositionGroup, ReconciliationRun

TODAY, PAST = "today", "past"
WHOLE, PUBLISHERS, MODEL = "all", "publishers", "model"
SCHEDULE, PERSON = "schedule", "person"
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReconciliationFilter(ListFilter):
    q = search(placeholder="Number or software model", method="by_text")
    state = django_filters.ChoiceFilter(label="State", choices=ReconciliationRun.State.choices, empty_label="Any")
    as_of = django_filters.ChoiceFilter(
        label="As of",
        choices=[(TODAY, "The moment it ran"), (PAST, "A day that was over")],
        empty_label="Any",
        method="by_day",
    )
    scope = django_filters.ChoiceFilter(
        label="Scope",
        choices=[(WHOLE, "Everything"), (PUBLISHERS, "Some publishers"), (MODEL, "One software model")],
        empty_label="Any",
        method="by_scope",
    )
    group = django_filters.ChoiceFilter(label="Group", choices=PositionGroup.choices, empty_label="Any")
    asked = django_filters.ChoiceFilter(
        label="Asked for",
        choices=[(SCHEDULE, "By schedule"), (PERSON, "By a person")],
        empty_label="Any",
        method="by_asker",
    )
    since = django_filters.DateFilter(label="From", field_name="started_at", lookup_expr="date__gte", widget=DAY)
    until = django_filters.DateFilter(label="Until", field_name="started_at", lookup_expr="date__lte", widget=DAY)

    class Meta:
        model = ReconciliationRun
        fields = ("q", "state", "as_of", "scope", "group", "asked", "since", "until")

    def by_text(self, queryset: QuerySet[ReconciliationRun], name: str, value: str) -> QuerySet[ReconciliationRun]:
        model = ("software_model__publisher", "software_model__product", "software_model__edition")
        return text_search.find(queryset, value, *model, or_else=text_search.numbered(value, "REC"))

    def by_day(self, queryset: QuerySet[ReconciliationRun], name: str, value: str) -> QuerySet[ReconciliationRun]:
        return queryset.filter(question_date__isnull=value == TODAY)

    def by_scope(self, queryset: QuerySet[ReconciliationRun], name: str, value: str) -> QuerySet[ReconciliationRun]:
        ends = {WHOLE: Q(scope_key__endswith="/all"), MODEL: Q(scope_key__contains="/model-")}
        return queryset.filter(ends.get(value, Q(scope_key__contains="/publishers-")))

    def by_asker(self, queryset: QuerySet[ReconciliationRun], name: str, value: str) -> QuerySet[ReconciliationRun]:
        return queryset.filter(requested_by__isnull=value == SCHEDULE)

"""Filters of the job results; they live in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from profiles.models import IntegrationProfile, JobRun
from profiles.models.run import process_choices
from samsaas.lib import search as text_search
from samsaas.lib.tables import DAY, ListFilter, SeveralFilter, search


class RunFilter(ListFilter):
    q = search(placeholder="Profile or number", method="find")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    process = django_filters.ChoiceFilter(label="Process", choices=process_choices, empty_label="Any")
    trigger = django_filters.ChoiceFilter(label="Trigger", choices=JobRun.Trigger.choices, empty_label="Any")
    state = SeveralFilter(label="State", choices=JobRun.State.choices, distinct=False)
    since = django_filters.DateFilter(label="From", field_name="created_at", lookup_expr="date__gte", widget=DAY)
    until = django_filters.DateFilter(label="Until", field_name="created_at", lookup_expr="date__lte", widget=DAY)

    class Meta:
        model = JobRun
        fields = ("q", "profile", "process", "trigger", "state", "since", "until")

    def find(self, queryset: QuerySet[JobRun], name: str, value: str) -> QuerySet[JobRun]:
        return text_search.find(queryset, value, "profile_name", or_else=text_search.numbered(value, "#"))

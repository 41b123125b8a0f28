"""The filter of the list of profiles; it lives in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search


class ProfileFilter(ListFilter):
    q = search(placeholder="Display name or team", method="filter_text")
    status = django_filters.ChoiceFilter(label="Status", choices=IntegrationProfile.Status.choices, empty_label="Any")

    class Meta:
        model = IntegrationProfile
        fields = ("q", "status")

    def filter_text(
        self, queryset: QuerySet[IntegrationProfile], name: str, value: str
    ) -> QuerySet[IntegrationProfile]:
        return text_search.find(queryset, value, "display_name", "team_name")

"""Filters of the exclusion rules. Their state is in the URL."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import (
    IdentifierExclusion,
    UserExclusion,
)


class ExclusionFilter(ListFilter):
    """The filters both kinds of rules share. Each kind names the `columns` that its free text is looked for in."""

    columns: tuple[str, ...] = ()

    q = search(placeholder="Rule or reason", method="by_text")
    active = django_filters.ChoiceFilter(
        label="Active", choices=[("yes", "Yes"), ("no", "No")], empty_label="Any", method="by_switch"
    )
    profile = django_filters.ModelChoiceFilter(
        label="Applies to", queryset=IntegrationProfile.objects.all(), empty_label="Any", method="applying_to"
    )

    def applying_to(self, queryset: QuerySet[Any], name: str, value: IntegrationProfile) -> QuerySet[Any]:
        return queryset.filter(Q(profile=value) | Q(profile=None))

    def by_text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return text_search.find(queryset, value, "reason", *self.columns)

    def by_switch(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(active=value == "yes")


class IdentifierExclusionFilter(ExclusionFilter):
    columns = ("identifier__identifier",)

    class Meta:
        model = IdentifierExclusion
        fields = ("q", "active", "profile")


class UserExclusionFilter(ExclusionFilter):
    columns = ("pattern", "domain")

    class Meta:
        model = UserExclusion
        fields = ("q", "active", "profile")

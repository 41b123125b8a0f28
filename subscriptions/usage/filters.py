"""The filters of the license position. Their state is in the URL."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import ComplianceStatus, ProductResult, SeatResult

WITH_USER, WITHOUT_USER, LEFT = "with", "without", "left"
NO_VALUE = "-"  # in the address: people of whom the directory does not say it


class ProductResultFilter(ListFilter):
    q = search(placeholder="Product", method="by_text")
    status = django_filters.ChoiceFilter(label="Status", choices=ComplianceStatus.choices, empty_label="Any")

    class Meta:
        model = ProductResult
        fields = ("q", "status")

    def by_text(self, queryset: QuerySet[ProductResult], name: str, value: str) -> QuerySet[ProductResult]:
        return text_search.find(queryset, value, "product")


class SeatResultFilter(ListFilter):
    q = search(placeholder="Subscription or user", method="by_text")
    covered = django_filters.ChoiceFilter(
        label="Covered", field_name="covered_by", choices=SeatResult.Covered.choices, empty_label="Any"
    )
    user = django_filters.ChoiceFilter(
        label="User",
        choices=[(WITH_USER, "With user"), (WITHOUT_USER, "Without user"), (LEFT, "Left the company")],
        empty_label="Any",
        method="by_user",
    )
    # Not on the form: the links of groups set these, and a chip above the list shows them.
    department = django_filters.CharFilter(
        label="Department", method="by_group", max_length=120, widget=forms.HiddenInput
    )
    cost_center = django_filters.CharFilter(
        label="Cost center", method="by_group", max_length=80, widget=forms.HiddenInput
    )
    country = django_filters.CharFilter(label="Country", method="by_group", max_length=80, widget=forms.HiddenInput)

    class Meta:
        model = SeatResult
        fields = ("q", "covered", "user", "department", "cost_center", "country")

    def active_filters(self) -> list[tuple[str, str, str]]:
        """Name the choice without a value; what it has in the URL is not for readers."""
        return [
            (name, label, "None" if (name in self.GROUPS and text == NO_VALUE) else text)
            for name, label, text in super().active_filters()
        ]

    GROUPS = ("department", "cost_center", "country")

    def by_text(self, queryset: QuerySet[SeatResult], name: str, value: str) -> QuerySet[SeatResult]:
        return text_search.find(queryset, value, "seat_name", "person_name")

    def by_user(self, queryset: QuerySet[SeatResult], name: str, value: str) -> QuerySet[SeatResult]:
        conditions = {WITH_USER: Q(person__isnull=False), WITHOUT_USER: Q(person=None), LEFT: Q(is_leaver=True)}
        return queryset.filter(conditions[value])

    def by_group(self, queryset: QuerySet[SeatResult], name: str, value: str) -> QuerySet[SeatResult]:
        """People by what the directory says of them today."""
        return queryset.filter(**{f"person__{name}": "" if value == NO_VALUE else value})

"""Filters of the subscription and software model lists; they live in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import SoftwareModel, Subscription

ENDED, ALL = "ended", "all"
USES, USES_NONE = "yes", "no"


class SubscriptionFilter(ListFilter):
    """Without a choice the list shows current seats, which is what a licence is paid for."""

    q = search(placeholder="Name, e-mail or id", method="find")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    model = django_filters.ModelChoiceFilter(
        label="Software model",
        field_name="identifier__software_model",
        queryset=SoftwareModel.objects.all(),
        empty_label="Any",
    )
    status = django_filters.ChoiceFilter(label="Status", choices=Subscription.Status.choices, empty_label="Any")
    seats = django_filters.ChoiceFilter(
        label="Seats",
        choices=[(ENDED, "Ended"), (ALL, "Current and ended")],
        empty_label="Current",
        method="in_time",
    )

    licence = django_filters.ChoiceFilter(
        label="Licence", choices=[(USES, "Used"), (USES_NONE, "Not used")], empty_label="Any", method="by_licence"
    )

    class Meta:
        model = Subscription
        fields = ("q", "profile", "model", "status", "licence", "seats")

    def filter_queryset(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        chosen = super().filter_queryset(queryset)
        return chosen if self.form.cleaned_data.get("seats") else chosen.filter(ended_at=None)

    def find(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        columns = ("display_name", "email", "employee_id", "external_id")
        matches = Q()
        for column in columns:
            matches |= Q(**{f"{column}__icontains": value})
        return queryset.filter(matches)

    def by_licence(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        uses_one = Q(consumes_licence=True, ended_at=None)
        return queryset.filter(uses_one if value == USES else ~uses_one)

    def in_time(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        return queryset if value == ALL else queryset.exclude(ended_at=None)


class SoftwareModelFilter(ListFilter):
    q = search(placeholder="Publisher, product or edition", method="find")

    class Meta:
        model = SoftwareModel
        fields = ("q",)

    def find(self, queryset: QuerySet[SoftwareModel], name: str, value: str) -> QuerySet[SoftwareModel]:
        return queryset.filter(
            Q(publisher__icontains=value) | Q(product__icontains=value) | Q(edition__icontains=value)
        )

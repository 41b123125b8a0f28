"""Filters of software models and subscription identifiers. Their state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import (
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
)


class SoftwareModelFilter(ListFilter):
    q = search(placeholder="Publisher, product or edition", method="by_text")
    under_management = django_filters.ChoiceFilter(
        label="License under management", choices=[("yes", "Yes"), ("no", "No")], empty_label="Any", method="managed"
    )

    class Meta:
        model = SoftwareModel
        fields = ("q", "under_management")

    def managed(self, queryset: QuerySet[SoftwareModel], name: str, value: str) -> QuerySet[SoftwareModel]:
        return queryset.filter(under_management=value == "yes")

    def by_text(self, queryset: QuerySet[SoftwareModel], name: str, value: str) -> QuerySet[SoftwareModel]:
        return text_search.find(queryset, value, "publisher", "product", "edition")


class IdentifierFilter(ListFilter):
    q = search(placeholder="Identifier or software model", method="by_text")
    recognized = django_filters.ChoiceFilter(
        label="Software model",
        choices=[("no", "Unrecognized"), ("yes", "Mapped")],
        empty_label="Any",
        method="by_recognition",
    )
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any", method="listed_by"
    )

    class Meta:
        model = SubscriptionIdentifier
        fields = ("q", "recognized", "profile")

    def listed_by(
        self, queryset: QuerySet[SubscriptionIdentifier], name: str, value: IntegrationProfile
    ) -> QuerySet[SubscriptionIdentifier]:
        """Identifiers of which the profile lists a seat. Their figures still count all profiles."""
        seats = Subscription.objects.filter(profile=value, identifier=OuterRef("pk")).listed()
        return queryset.filter(Exists(seats))

    def by_text(
        self, queryset: QuerySet[SubscriptionIdentifier], name: str, value: str
    ) -> QuerySet[SubscriptionIdentifier]:
        model = ("software_model__publisher", "software_model__product", "software_model__edition")
        return text_search.find(queryset, value, "identifier", *model)

    def by_recognition(
        self, queryset: QuerySet[SubscriptionIdentifier], name: str, value: str
    ) -> QuerySet[SubscriptionIdentifier]:
        return queryset.filter(software_model__isnull=value == "no")

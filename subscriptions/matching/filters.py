"""Filters of subscriptions without user, and of the people to match one with. Their state is in the URL."""

from __future__ import annotations

import django_filters
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas.lib.tables import ListFilter, search
from subscriptions.links import USES, USES_NONE
from subscriptions.matching import match_selected
from subscriptions.models import Person, Subscription
from subscriptions.models.person import PersonQuerySet
from subscriptions.models.subscription import SubscriptionQuerySet

VERIFIED, UNVERIFIED = "verified", "unverified"


class UnmatchedFilter(ListFilter):
    q = search(placeholder="Name, e-mail or id", method="by_text")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    status = django_filters.ChoiceFilter(label="Status", choices=Subscription.Status.choices, empty_label="Any")

    license = django_filters.ChoiceFilter(
        label="License",
        choices=[(USES, "In use"), (USES_NONE, "Not in use")],
        empty_label="Any",
        method="by_license",
    )

    address = django_filters.ChoiceFilter(
        label="Address",
        choices=[(VERIFIED, "Of one person, verified"), (UNVERIFIED, "Of one person, not verified")],
        empty_label="Any",
        method="by_address",
    )

    class Meta:
        model = Subscription
        fields = ("q", "profile", "status", "license", "address")

    def by_text(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        return queryset.search(value)

    def by_address(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        """Those that can be matched by their address, whether the vendor has verified it or not."""
        free = queryset.alias(address_obstacle=match_selected.obstacle(timezone.localdate())).filter(
            address_obstacle=""
        )
        return free.filter(email_verified=value == VERIFIED)

    def by_license(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        return queryset.filter(consumes_license=value == USES)


class PersonChoiceFilter(ListFilter):
    """The search for the person behind one seat."""

    q = search(placeholder="Name, number, department or e-mail", method="by_text")

    class Meta:
        model = Person
        fields = ("q",)

    def by_text(self, queryset: PersonQuerySet, name: str, value: str) -> PersonQuerySet:
        return queryset.search(value)

"""Filters of subscriptions without user, and of the people to match one with; they live in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import Person, Subscription
from subscriptions.models.subscription import SubscriptionQuerySet
from subscriptions.people import directory


class UnmatchedFilter(ListFilter):
    finds_words = True

    q = search(placeholder="Name, e-mail or id", method="find")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    status = django_filters.ChoiceFilter(label="Status", choices=Subscription.Status.choices, empty_label="Any")

    class Meta:
        model = Subscription
        fields = ("q", "profile", "status")

    def find(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        return queryset.told_by(value)


class CandidateFilter(ListFilter):
    """Looking for the person behind one seat."""

    finds_words = True

    q = search(placeholder="Name, number, department or e-mail", method="find")

    class Meta:
        model = Person
        fields = ("q",)

    def find(self, queryset: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        return directory.told_by(queryset, value)

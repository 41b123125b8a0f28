"""Filters of the people, the lines of an import, and the seats without a user; they live in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import Person, PersonImportRow, Subscription
from subscriptions.models.subscription import SubscriptionQuerySet
from subscriptions.people import directory

ACTIVE, LEFT = "active", "left"
WITH, WITHOUT = "with", "without"


class PersonFilter(ListFilter):
    finds_words = True

    q = search(placeholder="Name, number, department or e-mail", method="find")
    department = django_filters.ChoiceFilter(
        label="Department", choices=lambda: directory.choices("department"), empty_label="Any"
    )
    country = django_filters.ChoiceFilter(
        label="Country", choices=lambda: directory.choices("country"), empty_label="Any"
    )
    state = django_filters.ChoiceFilter(
        label="State", choices=[(ACTIVE, "Active"), (LEFT, "Left")], empty_label="Any", method="by_state"
    )
    seats = django_filters.ChoiceFilter(
        label="Seats", choices=[(WITH, "With seats"), (WITHOUT, "Without")], empty_label="Any", method="by_seats"
    )

    class Meta:
        model = Person
        fields = ("q", "department", "country", "state", "seats")

    def find(self, queryset: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        return directory.told_by(queryset, value)

    def by_state(self, queryset: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        here = Q(left_on=None) | ~directory.leavers()
        return queryset.filter(here if value == ACTIVE else directory.leavers())

    def by_seats(self, queryset: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        holding = directory.with_a_seat()
        return queryset.filter(holding if value == WITH else ~holding)


class ImportRowFilter(ListFilter):
    q = search(placeholder="Employee number", field_name="key", lookup_expr="icontains")
    effect = django_filters.ChoiceFilter(label="Lines", choices=PersonImportRow.Effect.choices, empty_label="All")
    manager = django_filters.ChoiceFilter(
        label="Manager", choices=[("unknown", "Unknown")], empty_label="Any", method="by_manager"
    )

    class Meta:
        model = PersonImportRow
        fields = ("q", "effect", "manager")

    def by_manager(self, queryset: QuerySet[PersonImportRow], name: str, value: str) -> QuerySet[PersonImportRow]:
        return queryset.filter(unknown_manager=True)


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

"""The filter of the list of people; it lives in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from samsaas.lib.tables import ListFilter, search
from subscriptions.models import Person
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

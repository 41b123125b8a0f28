"""The filter of the list of people. Its state is in the URL."""

from __future__ import annotations

import django_filters

from samsaas.lib.tables import ListFilter, search
from subscriptions.models import Person
from subscriptions.models.person import PersonQuerySet, column_choices

ACTIVE, LEFT = "active", "left"
WITH, WITHOUT = "with", "without"


class PersonFilter(ListFilter):
    q = search(placeholder="Name, number, department or e-mail", method="by_text")
    department = django_filters.ChoiceFilter(
        label="Department", choices=lambda: column_choices("department"), empty_label="Any"
    )
    cost_center = django_filters.ChoiceFilter(
        label="Cost center", choices=lambda: column_choices("cost_center"), empty_label="Any"
    )
    country = django_filters.ChoiceFilter(label="Country", choices=lambda: column_choices("country"), empty_label="Any")
    state = django_filters.ChoiceFilter(
        label="State", choices=[(ACTIVE, "Active"), (LEFT, "Left")], empty_label="Any", method="by_state"
    )
    seats = django_filters.ChoiceFilter(
        label="Subscriptions", choices=[(WITH, "With"), (WITHOUT, "Without")], empty_label="Any", method="by_seats"
    )

    class Meta:
        model = Person
        fields = ("q", "department", "cost_center", "country", "state", "seats")

    def by_text(self, queryset: PersonQuerySet, name: str, value: str) -> PersonQuerySet:
        return queryset.search(value)

    def by_state(self, queryset: PersonQuerySet, name: str, value: str) -> PersonQuerySet:
        return queryset.not_leavers() if value == ACTIVE else queryset.leavers()

    def by_seats(self, queryset: PersonQuerySet, name: str, value: str) -> PersonQuerySet:
        return queryset.holding_seats() if value == WITH else queryset.without_seats()

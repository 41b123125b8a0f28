"""The filter of an entitlement's allocations. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import Allocation

USE = [("yes", "In use"), ("no", "Not in use"), ("left", "Of leavers")]


class AllocationFilter(ListFilter):
    q = search(placeholder="Name, number or department", method="by_text")
    use = django_filters.ChoiceFilter(label="Use", choices=USE, empty_label="Any", method="by_use")

    class Meta:
        model = Allocation
        fields = ("q", "use")

    def by_text(self, queryset: QuerySet[Allocation], name: str, value: str) -> QuerySet[Allocation]:
        return text_search.find(queryset, value, "person__name", "person__key", "person__department")

    def by_use(self, queryset: QuerySet[Allocation], name: str, value: str) -> QuerySet[Allocation]:
        if value == "left":
            return queryset.filter(person__left_on__lt=timezone.localdate())
        is_used = Q(seats__gte=F("quantity"))
        return queryset.filter(is_used if value == "yes" else ~is_used)

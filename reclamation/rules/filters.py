"""The filter of the list of exemptions."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone

from reclamation.models import Exemption
from samsaas.lib.tables import ListFilter, search

ENDED, ALL = "ended", "all"


class ExemptionFilter(ListFilter):
    """Without a choice the list shows the exemptions that are valid today."""

    q = search(placeholder="Person, subscription or reason", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State", choices=[(ENDED, "Ended"), (ALL, "All")], empty_label="Valid", method="by_state"
    )

    class Meta:
        model = Exemption
        fields = ("q", "state")

    def filter_queryset(self, queryset: QuerySet[Exemption]) -> QuerySet[Exemption]:
        chosen = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return chosen
        return chosen.filter(pk__in=Exemption.objects.valid_on(timezone.localdate()).values("pk"))

    def by_state(self, queryset: QuerySet[Exemption], name: str, value: str) -> QuerySet[Exemption]:
        if value == ALL:
            return queryset
        return queryset.exclude(pk__in=Exemption.objects.valid_on(timezone.localdate()).values("pk"))

    def by_text(self, queryset: QuerySet[Exemption], name: str, value: str) -> QuerySet[Exemption]:
        columns = ("reason", "person__name", "person__key", "subscription__display_name", "subscription__email")
        found = Q()
        for column in columns:
            found |= Q(**{f"{column}__icontains": value})
        return queryset.filter(found)

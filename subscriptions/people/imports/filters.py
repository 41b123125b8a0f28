"""The filter of an import's lines. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from samsaas.lib.tables import ListFilter, search
from subscriptions.models import PersonImportRow


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

"""The filter of an import's lines. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet

from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import PersonImportOverlap, PersonImportRow
from subscriptions.people.imports.differences import with_left_out


class ImportRowFilter(ListFilter):
    q = search(placeholder="Employee number", method="by_text")
    effect = django_filters.ChoiceFilter(label="Lines", choices=PersonImportRow.Effect.choices, empty_label="All")
    manager = django_filters.ChoiceFilter(
        label="Manager", choices=[("unknown", "Unknown")], empty_label="Any", method="by_manager"
    )
    overlap = django_filters.ChoiceFilter(
        label="Overlap", choices=[("yes", "With others")], empty_label="Any", method="by_overlap"
    )

    cells = django_filters.ChoiceFilter(
        label="Cells", choices=[("left_out", "Left out")], empty_label="Any", method="by_cells"
    )

    class Meta:
        model = PersonImportRow
        fields = ("q", "effect", "manager", "overlap", "cells")

    def by_text(self, queryset: QuerySet[PersonImportRow], name: str, value: str) -> QuerySet[PersonImportRow]:
        return text_search.find(queryset, value, "key")

    def by_manager(self, queryset: QuerySet[PersonImportRow], name: str, value: str) -> QuerySet[PersonImportRow]:
        return queryset.filter(unknown_manager=True)

    def by_cells(self, queryset: QuerySet[PersonImportRow], name: str, value: str) -> QuerySet[PersonImportRow]:
        return queryset.filter(with_left_out())

    def by_overlap(self, queryset: QuerySet[PersonImportRow], name: str, value: str) -> QuerySet[PersonImportRow]:
        """The lines that have an address or a number like somebody else's."""
        same_line = PersonImportOverlap.objects.filter(upload=OuterRef("upload"), line=OuterRef("line"))
        return queryset.filter(Exists(same_line))

"""The filter of an import's lines. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.models import EntitlementImportRow


class EntitlementRowFilter(ListFilter):
    q = search(placeholder="Publisher, product or edition", method="by_text")
    effect = django_filters.ChoiceFilter(label="Lines", choices=EntitlementImportRow.Effect.choices, empty_label="All")
    note = django_filters.ChoiceFilter(
        label="To look at", choices=[("yes", "With a note")], empty_label="Any", method="by_note"
    )

    class Meta:
        model = EntitlementImportRow
        fields = ("q", "effect", "note")

    def by_text(
        self, queryset: QuerySet[EntitlementImportRow], name: str, value: str
    ) -> QuerySet[EntitlementImportRow]:
        return text_search.find(queryset, value, "name")

    def by_note(
        self, queryset: QuerySet[EntitlementImportRow], name: str, value: str
    ) -> QuerySet[EntitlementImportRow]:
        """The new lines that a person should look at."""
        return queryset.filter(effect=EntitlementImportRow.Effect.NEW).exclude(note="")

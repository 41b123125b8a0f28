"""The filter of the list of entitlements. Its state is in the URL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone

from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from subscriptions.entitlements.terms import DerivedState
from subscriptions.models import Entitlement, SoftwareModel

SEARCHED = (
    *("software_model__publisher", "software_model__product", "software_model__edition", "publisher_part_number"),
    *("vendor_name", "contract", "invoice", "purchase_order", "notes"),
)
ENDS = [("30", "Within 30 days"), ("60", "Within 60 days"), ("90", "Within 90 days"), ("open", "Goes on")]


def publisher_choices() -> list[tuple[str, str]]:
    """The publishers of which entitlements are recorded."""
    names = SoftwareModel.objects.filter(entitlements__isnull=False).order_by("publisher")
    return [(name, name) for name in names.values_list("publisher", flat=True).distinct()]


class EntitlementFilter(ListFilter):
    q = search(placeholder="Number, software, contract, invoice or notes", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State", choices=DerivedState.choices, empty_label="Any", field_name="shown_state"
    )
    publisher = django_filters.ChoiceFilter(
        label="Publisher", choices=publisher_choices, empty_label="Any", field_name="software_model__publisher"
    )
    model = django_filters.ModelChoiceFilter(
        label="Software model",
        queryset=SoftwareModel.objects.filter(entitlements__isnull=False).distinct(),
        field_name="software_model",
        empty_label="Any",
    )
    ends = django_filters.ChoiceFilter(label="Ends", choices=ENDS, empty_label="Any", method="by_end")

    class Meta:
        model = Entitlement
        fields = ("q", "state", "publisher", "model", "ends")

    def by_text(self, queryset: QuerySet[Entitlement], name: str, value: str) -> QuerySet[Entitlement]:
        return text_search.find(queryset, value, *SEARCHED, or_else=text_search.numbered(value, "ENT"))

    def by_end(self, queryset: QuerySet[Entitlement], name: str, value: Any) -> QuerySet[Entitlement]:
        if value == "open":
            return queryset.filter(end=None)
        today = timezone.localdate()
        return queryset.filter(end__gte=today, end__lte=today + timedelta(days=int(value)))

"""The filter of the ledger. Its state is in the URL."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.savings.balance import FreedState, freed_entries
from reclamation.savings.breakdown import DIVISIONS
from reclamation.savings.figures import SAVED_NET
from reclamation.savings.ledger import GONE_BACK, Kind
from samsaas.lib.tables import ListFilter
from subscriptions.models import Entitlement

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
LINES = [
    ("freed", "Freed"),
    ("gone_back", "Gone back"),
    ("saved", "Saved, less what was taken back"),
    ("pending", "Freed, pending"),
    ("lapsed", "Freed, lapsed"),
]
KINDS: dict[str, tuple[str, ...]] = {"freed": (Kind.FREED,), "gone_back": GONE_BACK, "saved": SAVED_NET}


def values_of(column: str) -> Any:
    """The values of a column as choices, read when the form is shown."""

    def choices() -> list[tuple[str, str]]:
        found = SavingsEntry.objects.exclude(**{column: ""}).order_by(column)
        return [(value, value) for value in found.values_list(column, flat=True).distinct()]

    return choices


def chosen_value(label: str, column: str) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(label=label, field_name=column, choices=values_of(column), empty_label="Any")


class SavingsFilter(ListFilter):
    """`lines` are those of a figure on the page of savings, so that their sum is that figure."""

    lines = django_filters.ChoiceFilter(label="Lines", choices=LINES, empty_label="All", method="by_lines")
    kind = django_filters.ChoiceFilter(label="Kind", choices=SavingsEntry.Kind.choices, empty_label="Any")
    since = django_filters.DateFilter(label="From", field_name="on", lookup_expr="gte", widget=DAY)
    until = django_filters.DateFilter(label="Until", field_name="on", lookup_expr="lte", widget=DAY)
    model = chosen_value("Software model", "software_model")
    rule = chosen_value("Rule", "rule_name")
    profile = chosen_value("Subscription profile", "profile_name")
    department = chosen_value("Department", "department")
    # Not on the form: rows of the page of savings lead here.
    without = django_filters.ChoiceFilter(
        label="Without",
        choices=[(name, label) for name, (label, _) in DIVISIONS.items() if name != "month"],
        method="by_nothing",
        widget=forms.HiddenInput,
    )
    renewal = django_filters.ModelChoiceFilter(
        label="Renewal", field_name="entitlement", queryset=Entitlement.objects.all(), widget=forms.HiddenInput
    )

    class Meta:
        model = SavingsEntry
        fields = ("lines", "kind", "since", "until", "model", "rule", "profile", "department", "without", "renewal")

    def by_lines(self, queryset: QuerySet[SavingsEntry], name: str, value: str) -> QuerySet[SavingsEntry]:
        if value in KINDS:
            return queryset.filter(kind__in=KINDS[value])
        freed = freed_entries(timezone.localdate()).filter(became=FreedState(value))
        return queryset.filter(pk__in=freed.order_by().values("pk"))

    def by_nothing(self, queryset: QuerySet[SavingsEntry], name: str, value: str) -> QuerySet[SavingsEntry]:
        return queryset.filter(**{DIVISIONS[value][1]: ""})

"""The filter of the ledger. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django import forms

from reclamation.models import SavingsEntry
from samsaas.lib.tables import ListFilter

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class SavingsFilter(ListFilter):
    kind = django_filters.ChoiceFilter(label="Kind", choices=SavingsEntry.Kind.choices, empty_label="Any")
    since = django_filters.DateFilter(label="From", field_name="on", lookup_expr="gte", widget=DAY)
    until = django_filters.DateFilter(label="Until", field_name="on", lookup_expr="lte", widget=DAY)

    class Meta:
        model = SavingsEntry
        fields = ("kind", "since", "until")

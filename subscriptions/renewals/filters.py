"""The filter of the list of renewals. Its state is in the URL."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from samsaas.lib.tables import ListFilter
from subscriptions.entitlements.filters import publisher_choices
from subscriptions.entitlements.renewals import HEADROOM_PERCENT, HORIZON_DAYS
from subscriptions.models import Entitlement, SoftwareModel
from subscriptions.renewals.rows import Urgency

HORIZONS = [("30", "30 days"), ("60", "60 days"), ("180", "180 days"), ("366", "A year")]
MOST_HEADROOM = 100


class HeadroomField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        attrs = {"min": 0, "max": MOST_HEADROOM, "placeholder": HEADROOM_PERCENT}
        super().__init__(min_value=0, max_value=MOST_HEADROOM, widget=forms.NumberInput(attrs=attrs), **kwargs)


class HeadroomFilter(django_filters.Filter):
    field_class = HeadroomField


class RenewalFilter(ListFilter):
    """Which renewals, and how many rights are to spare. Without a choice: 90 days and 5 per cent."""

    horizon = django_filters.ChoiceFilter(
        label="Within", choices=HORIZONS, empty_label=f"{HORIZON_DAYS} days", method="leave"
    )
    urgency = django_filters.ChoiceFilter(label="State", choices=Urgency.choices, empty_label="Any", method="leave")
    publisher = django_filters.ChoiceFilter(
        label="Publisher", choices=publisher_choices, empty_label="Any", field_name="software_model__publisher"
    )
    headroom = HeadroomFilter(label="To spare, per cent", method="leave")
    model = django_filters.ModelChoiceFilter(
        label="Software model",
        queryset=SoftwareModel.objects.all(),
        field_name="software_model",
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Entitlement
        fields = ("horizon", "urgency", "publisher", "headroom", "model")

    def leave(self, queryset: QuerySet[Entitlement], name: str, value: Any) -> QuerySet[Entitlement]:
        """The page looks at these after it has computed the renewals."""
        return queryset

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_valid()  # what is chosen is read before any row is

    @property
    def days(self) -> int:
        return int(self._chosen("horizon") or HORIZON_DAYS)

    @property
    def spare(self) -> int:
        """Per cent. 0 is a choice."""
        chosen = self._chosen("headroom")
        return HEADROOM_PERCENT if chosen is None else int(chosen)

    @property
    def urgency_chosen(self) -> str:
        return str(self._chosen("urgency") or "")

    def _chosen(self, name: str) -> Any:
        return getattr(self.form, "cleaned_data", {}).get(name)

"""Filters of the subscription and software model lists; they live in the URL."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib.tables import ListFilter, search
from subscriptions.figures import UNRECOGNISED, USES, USES_NONE
from subscriptions.models import SoftwareModel, Subscription

LARGEST_KEY = 2**63 - 1
ENDED, EXCLUDED, ALL = "ended", "excluded", "all"
NO_MODEL = "Unrecognised"


class WholeNumberFilter(django_filters.Filter):
    field_class = forms.IntegerField


class SubscriptionFilter(ListFilter):
    """Without a choice the list shows current seats, which is what a licence is paid for."""

    q = search(placeholder="Name, e-mail or id", method="find")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    model = django_filters.ModelChoiceFilter(
        label="Software model",
        field_name="identifier__software_model",
        queryset=SoftwareModel.objects.all(),
        empty_label="Any",
        null_label=NO_MODEL,
        null_value=UNRECOGNISED,
    )
    status = django_filters.ChoiceFilter(label="Status", choices=Subscription.Status.choices, empty_label="Any")
    seats = django_filters.ChoiceFilter(
        label="Seats",
        choices=[(ENDED, "Ended"), (EXCLUDED, "Excluded by a rule"), (ALL, "All")],
        empty_label="Current",
        method="in_time",
    )

    licence = django_filters.ChoiceFilter(
        label="Licence", choices=[(USES, "Used"), (USES_NONE, "Not used")], empty_label="Any", method="by_licence"
    )
    # Without a place on the form: other pages lead here with them, and a chip shows them.
    person = django_filters.CharFilter(label="Person", method="of_person", max_length=320, widget=forms.HiddenInput)
    ended_by = WholeNumberFilter(
        label="Ended by run", field_name="ended_by_run", max_value=LARGEST_KEY, widget=forms.HiddenInput
    )

    class Meta:
        model = Subscription
        fields = ("q", "profile", "model", "status", "licence", "seats", "person", "ended_by")

    def filter_queryset(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        chosen = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        return chosen if asked.get("seats") or asked.get("ended_by") else chosen.filter(ended_at=None, excluded=False)

    def describe(self) -> list[tuple[str, str, str]]:
        """The choice without a model has a value of its own, which is no word for a reader."""
        return [
            (name, label, NO_MODEL if (name, text) == ("model", UNRECOGNISED) else text)
            for name, label, text in super().describe()
        ]

    def find(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        columns = ("display_name", "email", "employee_id", "external_id")
        matches = Q()
        for column in columns:
            matches |= Q(**{f"{column}__icontains": value})
        return queryset.filter(matches)

    def of_person(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        """Every seat that carries this e-mail address: a hint to the same person, never a proof."""
        return queryset.filter(email__iexact=value)

    def by_licence(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        uses_one = Q(consumes_licence=True, ended_at=None, excluded=False)
        return queryset.filter(uses_one if value == USES else ~uses_one)

    def in_time(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        chosen = {ENDED: ~Q(ended_at=None), EXCLUDED: Q(ended_at=None, excluded=True)}
        return queryset.filter(chosen[value]) if value in chosen else queryset


class SoftwareModelFilter(ListFilter):
    q = search(placeholder="Publisher, product or edition", method="find")

    class Meta:
        model = SoftwareModel
        fields = ("q",)

    def find(self, queryset: QuerySet[SoftwareModel], name: str, value: str) -> QuerySet[SoftwareModel]:
        return queryset.filter(
            Q(publisher__icontains=value) | Q(product__icontains=value) | Q(edition__icontains=value)
        )

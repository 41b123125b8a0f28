"""The filter of the list of subscriptions. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas.lib.tables import ListFilter, search
from subscriptions.activity import last_used
from subscriptions.activity.coverage import reach
from subscriptions.links import EXCLUDED, LEFT, LEFT_ADMIN, UNRECOGNIZED, USES, USES_NONE
from subscriptions.models import (
    Person,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    normalize_address,
)
from subscriptions.models.subscription import SubscriptionQuerySet

LARGEST_KEY = 2**63 - 1
FEW = 5000
ENDED, ALL = "ended", "all"
WITH_USER, WITHOUT_USER = "with", "without"
NO_MODEL = "Unrecognized"


class WholeNumberFilter(django_filters.Filter):
    field_class = forms.IntegerField


class SubscriptionFilter(ListFilter):
    """Without a choice the list shows current seats, because those are what licenses are paid for."""

    finds_words = True

    q = search(placeholder="Name, e-mail or id", method="by_text")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    model = django_filters.ModelChoiceFilter(
        label="Software model",
        field_name="identifier__software_model",
        queryset=SoftwareModel.objects.all(),
        empty_label="Any",
        null_label=NO_MODEL,
        null_value=UNRECOGNIZED,
    )
    status = django_filters.ChoiceFilter(label="Status", choices=Subscription.Status.choices, empty_label="Any")
    seats = django_filters.ChoiceFilter(
        label="Subscriptions",
        choices=[(ENDED, "Ended"), (EXCLUDED, "Excluded"), (ALL, "All")],
        empty_label="Current",
        method="by_period",
    )

    license = django_filters.ChoiceFilter(
        label="License", choices=[(USES, "In use"), (USES_NONE, "Not in use")], empty_label="Any", method="by_license"
    )
    user = django_filters.ChoiceFilter(
        label="User",
        choices=[
            (WITH_USER, "With user"),
            (WITHOUT_USER, "Without user"),
            (LEFT, "Left the company"),
            (LEFT_ADMIN, "Left the company, administrator"),
        ],
        empty_label="Any",
        method="by_user",
    )
    activity = django_filters.ChoiceFilter(
        label="Last activity", choices=list(last_used.LABELS.items()), empty_label="Any", method="by_activity"
    )
    # Not on the form: links of other pages set these, and a chip above the list shows them.
    person = django_filters.ModelChoiceFilter(
        label="User", field_name="match__person", queryset=Person.objects.all(), widget=forms.HiddenInput
    )
    address = django_filters.CharFilter(label="Address", method="by_address", max_length=320, widget=forms.HiddenInput)
    identifier = django_filters.ModelChoiceFilter(
        label="Subscription identifier", queryset=SubscriptionIdentifier.objects.all(), widget=forms.HiddenInput
    )
    coverage = django_filters.ChoiceFilter(
        label="Coverage",
        choices=[(last_used.GAP, last_used.GAP_LABEL)],
        method="by_coverage",
        widget=forms.HiddenInput,
    )
    ended_by = WholeNumberFilter(
        label="Ended by run", field_name="ended_by_run", max_value=LARGEST_KEY, widget=forms.HiddenInput
    )

    class Meta:
        model = Subscription
        fields = (
            *("q", "profile", "model", "status", "license", "user", "activity", "seats"),
            *("person", "address", "identifier", "coverage", "ended_by"),
        )

    def filter_queryset(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        chosen = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        return chosen if asked.get("seats") or asked.get("ended_by") else chosen.filter(ended_at=None, excluded=False)

    def active_filters(self) -> list[tuple[str, str, str]]:
        """Name the choice without a software model; the value it has in the URL is not for readers."""
        return [
            (name, label, NO_MODEL if (name, text) == ("model", UNRECOGNIZED) else text)
            for name, label, text in super().active_filters()
        ]

    def by_text(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        return queryset.search(value)

    def by_user(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        if value == LEFT_ADMIN:
            return self._seats_of_leavers(queryset.filter(is_admin=True))
        return (
            self._seats_of_leavers(queryset) if value == LEFT else queryset.filter(match__isnull=value == WITHOUT_USER)
        )

    def _seats_of_leavers(self, queryset: QuerySet[Subscription]) -> QuerySet[Subscription]:
        """The seats of leavers; up to `FEW` of them by their keys.

        Otherwise PostgreSQL does not know how few there are, and reads a million names in order to find fifty.
        """
        left = queryset.filter(match__person__left_on__lt=timezone.localdate())
        is_history = self.form.cleaned_data.get("seats") or self.form.cleaned_data.get("ended_by")
        shown = left if is_history else left.filter(ended_at=None, excluded=False)
        keys = list(shown.order_by().values_list("pk", flat=True)[: FEW + 1])
        return queryset.filter(pk__in=keys) if len(keys) <= FEW else left

    def by_activity(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        return queryset.filter(last_used.band_condition(value, timezone.now()))

    def by_coverage(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        return queryset.exclude(reach.read_knowledge(timezone.now()).exact())

    def by_address(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        """Every seat with this e-mail address. That hints at one person but does not prove it."""
        return queryset.filter(compared_email=normalize_address(value))

    def by_license(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        if value == USES:
            return queryset.filter(consumes_license=True, ended_at=None, excluded=False)
        uses_none = Q(consumes_license=False)
        if self.form.cleaned_data.get("seats") or self.form.cleaned_data.get("ended_by"):
            uses_none |= Q(excluded=True) | ~Q(
                ended_at=None
            )  # otherwise the list has none of these, and the simpler condition can use an index
        return queryset.filter(uses_none)

    def by_period(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        chosen = {ENDED: ~Q(ended_at=None), EXCLUDED: Q(ended_at=None, excluded=True)}
        return queryset.filter(chosen[value]) if value in chosen else queryset

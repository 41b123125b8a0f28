"""The filter of the list of subscriptions. Its state is in the URL."""

from __future__ import annotations

from datetime import date, datetime, time

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas.lib.tables import DAY, DAYS, ListFilter, SeveralFilter, search
from subscriptions import counting
from subscriptions.activity import last_used
from subscriptions.activity.coverage import reach
from subscriptions.links import ALL, BILLED, EXCLUDED, LEFT, LEFT_ADMIN, UNRECOGNIZED, USES, USES_NONE
from subscriptions.models import (
    Person,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    normalize_address,
)
from subscriptions.models.person import column_choices
from subscriptions.models.subscription import SubscriptionQuerySet

LARGEST_KEY = 2**63 - 1
MOST_DAYS = 9999
FEW = 5000
ENDED = "ended"
WITH_USER, WITHOUT_USER = "with", "without"
NO_MODEL = "Unrecognized"


class WholeNumberFilter(django_filters.Filter):
    field_class = forms.IntegerField


class SubscriptionFilter(ListFilter):
    """Without a choice the list shows current seats, because those are what licenses are paid for."""

    further = ("license", "seats", "department", "cost_center", "country", "assigned_before")

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
    status = SeveralFilter(label="Status", choices=Subscription.Status.choices, distinct=False)
    seats = django_filters.ChoiceFilter(
        label="Subscriptions",
        choices=[(ENDED, "Ended"), (EXCLUDED, "Excluded"), (ALL, "All")],
        empty_label="Current",
        method="by_period",
    )

    license = django_filters.ChoiceFilter(
        label="License",
        choices=[(USES, "In use"), (USES_NONE, "Not in use"), (BILLED, "In use, excluded ones too")],
        empty_label="Any",
        method="by_license",
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
        label="Last activity",
        choices=[*last_used.LABELS.items(), (last_used.IDLE, last_used.IDLE_LABEL)],
        empty_label="Any",
        method="by_activity",
    )
    idle_days = WholeNumberFilter(
        label="Idle for days", min_value=1, max_value=MOST_DAYS, method="by_idle_days", widget=DAYS
    )
    department = django_filters.ChoiceFilter(
        label="Department",
        field_name="match__person__department",
        choices=lambda: column_choices("department"),
        empty_label="Any",
    )
    cost_center = django_filters.ChoiceFilter(
        label="Cost center",
        field_name="match__person__cost_center",
        choices=lambda: column_choices("cost_center"),
        empty_label="Any",
    )
    country = django_filters.ChoiceFilter(
        label="Country",
        field_name="match__person__country",
        choices=lambda: column_choices("country"),
        empty_label="Any",
    )
    assigned_before = django_filters.DateFilter(label="Assigned before", method="by_assigned_before", widget=DAY)
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
    position = django_filters.ChoiceFilter(
        label="License position", choices=counting.POSITIONS, method="by_position", widget=forms.HiddenInput
    )
    ended_by = WholeNumberFilter(
        label="Ended by run", field_name="ended_by_run", max_value=LARGEST_KEY, widget=forms.HiddenInput
    )

    class Meta:
        model = Subscription
        fields = (
            *("q", "profile", "model", "status", "user", "activity", "idle_days"),
            *("license", "seats", "department", "cost_center", "country", "assigned_before"),
            *("person", "address", "identifier", "coverage", "position", "ended_by"),
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
        now = timezone.now()
        if value == last_used.IDLE:
            known = reach.read_knowledge(now)
            return queryset.alias(unused_since=known.unused_since()).filter(last_used.idle_condition(now))
        return queryset.filter(last_used.band_condition(value, now))

    def by_idle_days(self, queryset: QuerySet[Subscription], name: str, value: int) -> QuerySet[Subscription]:
        """Seats that are surely unused for so many days, also those without any activity in all that was read."""
        now = timezone.now()
        unused = queryset.alias(unused_since=reach.read_knowledge(now).unused_since())
        return unused.filter(unused_since__lt=last_used.midnight(now, value - 1))

    def by_assigned_before(self, queryset: QuerySet[Subscription], name: str, value: date) -> QuerySet[Subscription]:
        """Seats that were assigned before this day of the installation's time zone."""
        day = datetime.combine(value, time(0), tzinfo=timezone.get_current_timezone())
        return queryset.filter(assigned_at__lt=day)

    def by_coverage(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        return queryset.exclude(reach.read_knowledge(timezone.now()).exact())

    def by_address(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        """Every seat with this e-mail address. That hints at one person but does not prove it."""
        return queryset.filter(compared_email=normalize_address(value))

    def by_position(self, queryset: SubscriptionQuerySet, name: str, value: str) -> SubscriptionQuerySet:
        return counting.in_position(queryset, value)

    def by_license(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        if value == USES:
            return queryset.filter(consumes_license=True, ended_at=None, excluded=False)
        if value == BILLED:
            return queryset.filter(consumes_license=True, ended_at=None)
        uses_none = Q(consumes_license=False)
        if self.form.cleaned_data.get("seats") or self.form.cleaned_data.get("ended_by"):
            uses_none |= Q(excluded=True) | ~Q(
                ended_at=None
            )  # otherwise the list has none of these, and the simpler condition can use an index
        return queryset.filter(uses_none)

    def by_period(self, queryset: QuerySet[Subscription], name: str, value: str) -> QuerySet[Subscription]:
        chosen = {ENDED: ~Q(ended_at=None), EXCLUDED: Q(ended_at=None, excluded=True)}
        return queryset.filter(chosen[value]) if value in chosen else queryset

"""Filters of the lists of removals. Their state is in the URL."""

from __future__ import annotations

from datetime import datetime, timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt, RemovalBatch
from reclamation.removal import regret
from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search

State = RemovalAttempt.State
OPEN, ENDED, REGRETTED, ENDS_SOON = "open", "ended", "regretted", "ends_soon"
SOON_HOURS = 48


def ends_soon(now: datetime) -> Q:
    """The condition for removals that can be undone now, and cannot any more in `SOON_HOURS`."""
    return Q(state=State.REMOVED, restorable_until__gt=now, restorable_until__lte=now + timedelta(hours=SOON_HOURS))


class AttemptFilter(ListFilter):
    """Without a choice the list shows what is not over."""

    q = search(placeholder="Account or vendor’s id", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[
            *State.choices,
            (REGRETTED, "Removed although used"),
            (ENDS_SOON, f"Can be undone for less than {SOON_HOURS} hours"),
            (ENDED, "Over"),
        ],
        empty_label="Not over",
        method="in_state",
    )
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    kind = django_filters.ChoiceFilter(
        label="Kind", choices=[("dry", "Dry runs"), ("all", "All")], empty_label="Real ones", method="of_kind"
    )

    class Meta:
        model = RemovalAttempt
        fields = ("q", "state", "profile", "kind")

    def filter_queryset(self, queryset: QuerySet[RemovalAttempt]) -> QuerySet[RemovalAttempt]:
        chosen = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("kind"):
            chosen = chosen.filter(dry_run=False)
        return chosen if self.form.cleaned_data.get("state") else chosen.filter(closed_at=None)

    def in_state(self, queryset: QuerySet[RemovalAttempt], name: str, value: str) -> QuerySet[RemovalAttempt]:
        if value == REGRETTED:
            return queryset.filter(regret.is_open_alarm())
        if value == ENDS_SOON:
            return queryset.filter(ends_soon(timezone.now()))
        return queryset.exclude(closed_at=None) if value == ENDED else queryset.filter(state=value)

    def of_kind(self, queryset: QuerySet[RemovalAttempt], name: str, value: str) -> QuerySet[RemovalAttempt]:
        return queryset.filter(dry_run=True) if value == "dry" else queryset

    def by_text(self, queryset: QuerySet[RemovalAttempt], name: str, value: str) -> QuerySet[RemovalAttempt]:
        by_id = Q(external_id=value)
        return text_search.find(queryset, value, "candidate__display_name", "email", or_else=by_id)


class BatchFilter(ListFilter):
    state = django_filters.ChoiceFilter(label="State", choices=RemovalBatch.State.choices, empty_label="Any")
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )

    class Meta:
        model = RemovalBatch
        fields = ("state", "profile")

"""The filter of the list of removal candidates. Its state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from profiles.models import IntegrationProfile
from reclamation.models import RemovalCandidate
from reclamation.states import State
from samsaas.lib.tables import ListFilter, search

CLOSED, ALL = "closed", "all"
MINE, MY_GROUPS, NOBODY = "mine", "groups", "nobody"


class CandidateFilter(ListFilter):
    """Without a choice the list shows open candidates, because somebody has to decide on them."""

    q = search(placeholder="Number, name, e-mail or profile", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[*State.choices, (CLOSED, "Closed"), (ALL, "All")],
        empty_label="Open",
        method="in_state",
    )
    profile = django_filters.ModelChoiceFilter(
        label="Profile", queryset=IntegrationProfile.objects.all(), empty_label="Any"
    )
    justification = django_filters.ChoiceFilter(
        label="Justification", choices=RemovalCandidate.Justification.choices, empty_label="Any"
    )

    assigned = django_filters.ChoiceFilter(
        label="Assigned to",
        choices=[(MINE, "Mine"), (MY_GROUPS, "My groups"), (NOBODY, "Nobody")],
        empty_label="Anybody",
        method="assigned_to",
    )

    class Meta:
        model = RemovalCandidate
        fields = ("q", "state", "profile", "justification", "assigned")

    def filter_queryset(self, queryset: QuerySet[RemovalCandidate]) -> QuerySet[RemovalCandidate]:
        chosen = super().filter_queryset(queryset)
        return chosen if self.form.cleaned_data.get("state") else chosen.filter(closed_at=None)

    def in_state(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        if value == ALL:
            return queryset
        return queryset.exclude(closed_at=None) if value == CLOSED else queryset.filter(state=value)

    def assigned_to(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        if value == NOBODY:
            return queryset.filter(assigned_to=None, assignment_group=None)
        person = self.request.user
        if value == MINE:
            return queryset.filter(assigned_to=person.pk)
        return queryset.filter(assignment_group__in=person.groups.values("pk"))

    def by_text(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        matches = Q()
        for column in ("display_name", "email", "external_id", "profile_name"):
            matches |= Q(**{f"{column}__icontains": value})
        number = value.upper().removeprefix("RC")
        if number.isascii() and number.isdigit() and len(number) < 18:
            matches |= Q(pk=int(number))
        return queryset.filter(matches)

"""The filter of the list of removal candidates. Its state is in the URL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.models.candidate import CandidateQuerySet
from reclamation.reasons import PROPOSABLE, Reason
from reclamation.states import CLOSED as CLOSED_STATES, OPEN, State
from samsaas.lib.tables import DAYS, ListFilter, search
from subscriptions.filters import WholeNumberFilter
from subscriptions.models import SoftwareModel
from subscriptions.models.person import column_choices
from subscriptions.reconciliation import live

CLOSED, ALL = "closed", "all"
YES, NO = "yes", "no"
ME, MY_GROUPS, SOMEBODY, NOBODY = "me", "groups", "somebody", "nobody"
NO_RULE = "none"
AFTER_NOTICE = "after_notice"
# Why a candidate can have been opened; all other reasons are reasons not to.
REASONS = [(reason.value, reason.label) for reason in (*PROPOSABLE, Reason.MANUAL)]


class CandidateFilter(ListFilter):
    """Without a choice the list shows open candidates, because somebody has to decide on them."""

    further = ("justification", "rule", "hold", "use", "department", "cost_center", "country")

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

    reason = django_filters.ChoiceFilter(label="Reason", choices=REASONS, empty_label="Any", method="by_reason")
    rule = django_filters.ModelChoiceFilter(
        label="Rule",
        queryset=ReclamationRule.objects.all(),
        empty_label="Any",
        null_label="No rule",
        null_value=NO_RULE,
    )
    hold = django_filters.ChoiceFilter(
        label="Removal", choices=[(YES, "Waits"), (NO, "Does not wait")], empty_label="Any", method="by_hold"
    )
    leaver = django_filters.ChoiceFilter(
        label="User", choices=[(YES, "Left the company"), (NO, "Has not left")], empty_label="Any", method="by_leaver"
    )
    use = django_filters.ChoiceFilter(
        label="Use", choices=[(AFTER_NOTICE, "Only after its user was asked")], empty_label="Any", method="by_use"
    )
    assigned = django_filters.ChoiceFilter(
        label="Assigned to",
        choices=[(ME, "Mine"), (MY_GROUPS, "My groups"), (SOMEBODY, "Somebody"), (NOBODY, "Nobody")],
        empty_label="Anybody",
        method="by_assigned",
    )
    idle_days = WholeNumberFilter(
        label="Idle for days", field_name="evidence__inactive_days", lookup_expr="gte", min_value=1, widget=DAYS
    )
    department = django_filters.ChoiceFilter(
        label="Department",
        field_name="subscription__match__person__department",
        choices=lambda: column_choices("department"),
        empty_label="Any",
    )
    cost_center = django_filters.ChoiceFilter(
        label="Cost center",
        field_name="subscription__match__person__cost_center",
        choices=lambda: column_choices("cost_center"),
        empty_label="Any",
    )
    country = django_filters.ChoiceFilter(
        label="Country",
        field_name="subscription__match__person__country",
        choices=lambda: column_choices("country"),
        empty_label="Any",
    )
    # Not on the form: the license position and the renewals of a software model lead here.
    model = django_filters.ModelChoiceFilter(
        label="Software model", queryset=SoftwareModel.objects.all(), method="by_model", widget=forms.HiddenInput
    )
    counted = django_filters.BooleanFilter(
        label="In the license position", method="by_counted", widget=forms.HiddenInput
    )
    publisher = django_filters.CharFilter(
        label="Publisher",
        field_name="subscription__identifier__software_model__publisher",
        max_length=120,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = RemovalCandidate
        fields = (
            *("q", "state", "profile", "reason", "leaver", "assigned", "idle_days"),
            *("justification", "rule", "hold", "use", "department", "cost_center", "country"),
            *("model", "counted", "publisher"),
        )

    def filter_queryset(self, queryset: QuerySet[RemovalCandidate]) -> QuerySet[RemovalCandidate]:
        chosen = super().filter_queryset(queryset)
        return chosen if self.form.cleaned_data.get("state") else chosen.filter(closed_at=None)

    def in_state(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        if value == ALL:
            return queryset
        return queryset.exclude(closed_at=None) if value == CLOSED else queryset.filter(state=value)

    def active_filters(self) -> list[tuple[str, str, str]]:
        """Name the choice without a rule; the value it has in the URL is not for readers."""
        return [
            (name, label, "No rule" if (name, text) == ("rule", NO_RULE) else text)
            for name, label, text in super().active_filters()
        ]

    def by_reason(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        """Candidates of earlier versions kept no reason: they were all proposed by hand."""
        return queryset.filter(reason__in=(value, "") if value == Reason.MANUAL else (value,))

    def by_model(
        self, queryset: QuerySet[RemovalCandidate], name: str, value: SoftwareModel
    ) -> QuerySet[RemovalCandidate]:
        """Those of subscriptions that count in the position of the model, as the figures do that lead here."""
        return queryset.filter(subscription__in=live.counted_seats(value))

    def by_counted(self, queryset: QuerySet[RemovalCandidate], name: str, value: bool) -> QuerySet[RemovalCandidate]:
        counted = live.counted_seats()
        return queryset.filter(subscription__in=counted) if value else queryset.exclude(subscription__in=counted)

    def by_hold(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        return queryset.exclude(hold="") if value == YES else queryset.filter(hold="")

    def by_leaver(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        return queryset.filter(is_leaver=value == YES)

    def by_use(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        return queryset.filter(after_notice=True)

    def by_assigned(self, queryset: QuerySet[RemovalCandidate], name: str, value: str) -> QuerySet[RemovalCandidate]:
        if value == ME:
            return queryset.filter(assigned_to=self.request.user)
        if value == MY_GROUPS:
            return queryset.filter(assignment_group__in=self.request.user.groups.values("pk"))
        nobody = Q(assigned_to=None, assignment_group=None)
        return queryset.filter(nobody if value == NOBODY else ~nobody)

    def by_text(self, queryset: CandidateQuerySet, name: str, value: str) -> CandidateQuerySet:
        return queryset.search(value)


def state_tabs(
    request: HttpRequest, candidates: QuerySet[RemovalCandidate], *, has_numbers: bool = True
) -> list[dict[str, Any]]:
    """One tab for the open candidates, one for each open state, and one for the closed ones, with their numbers.

    The other filters in the address stay. One query, for the numbers: a search that finds very many has none.
    """
    asked = request.GET.copy()
    chosen = asked.get("state", "")
    asked["state"] = ALL
    matching = CandidateFilter(asked, queryset=candidates.select_related(None), request=request).qs
    counts = dict(matching.order_by().values_list("state").annotate(Count("pk"))) if has_numbers else {}

    def count(states: Iterable[str]) -> int | None:
        return sum(counts.get(state, 0) for state in states) if has_numbers else None

    options = [("", "Open", count(OPEN))]
    options += [(state.value, str(state.label), count([state])) for state in State if state in OPEN]
    options.append((CLOSED, "Closed", count(CLOSED_STATES)))
    return [_make_tab(request, *option, chosen=chosen) for option in options]


def _make_tab(request: HttpRequest, value: str, label: str, count: int | None, *, chosen: str) -> dict[str, Any]:
    address = request.GET.copy()
    for name in ("state", "page", "selection"):
        address.pop(name, None)
    if value:
        address["state"] = value
    query = address.urlencode()
    url = f"{request.path}?{query}" if query else request.path
    return {"label": label, "count": count, "url": url, "is_current": value == chosen}

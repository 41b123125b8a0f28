"""The filter of what a back-test found. Its state is in the URL."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet

from reclamation.models import BackTestFinding
from reclamation.reasons import PROPOSABLE
from samsaas.lib.tables import ListFilter

CENSORED = "censored"
OUTCOMES = [*BackTestFinding.Outcome.choices, (CENSORED, "Not counted")]


class FindingFilter(ListFilter):
    outcome = django_filters.ChoiceFilter(
        label="What became of it", choices=OUTCOMES, method="of_outcome", empty_label="Any"
    )
    reason = django_filters.ChoiceFilter(
        label="Reason", choices=[(one.value, one.label) for one in PROPOSABLE], empty_label="Any"
    )
    on = django_filters.DateFilter(label="Proposed on")

    class Meta:
        model = BackTestFinding
        fields = ("outcome", "reason", "on")

    def of_outcome(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """One outcome, or all of those that are counted neither for nor against the rule."""
        return rows.filter(outcome__in=BackTestFinding.CENSORED if value == CENSORED else [value])

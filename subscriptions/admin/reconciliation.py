"""Core UI: what reconciliations found, from the run down to the single subscription, and what would mend it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from samsaas.read_only_admin import AdminButton, ReadOnlyAdmin, RelatedList
from subscriptions.models import (
    GroupResult,
    MetricResult,
    ModelResult,
    ProductResult,
    ReconciliationRun,
    RemediationOption,
    SeatResult,
    UseDay,
)
from subscriptions.reconciliation.exports.columns import write_amounts

RUN_BUTTON = AdminButton(label="Run Reconciliation", url_name="admin:run_reconciliation", method="POST", on_row=False)


def has_results(run: ReconciliationRun) -> bool:
    """Whether there is anything to take away."""
    return run.finished_at is not None and run.state != ReconciliationRun.State.FAILED


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnlyAdmin):
    list_display = ("number", "state", "as_of", "started_at", "finished_at", "group", "subgroup", "requested_by")
    list_filter = ("state", "group")
    search_fields = ("=id",)
    list_select_related = ("requested_by",)
    exclude = ("ask_again",)
    buttons = (
        RUN_BUTTON,
        AdminButton(label="Print", url_name="position_print", shown=has_results),
        AdminButton(label="CSV", url_name="position_csv", shown=has_results),
        AdminButton(label="XLSX", url_name="position_xlsx", shown=has_results),
    )
    related_lists = (RelatedList(label="Product results", of="subscriptions_productresult", lookup="run__id__exact"),)

    @admin.display(description="Number", ordering="pk")
    def number(self, run: ReconciliationRun) -> str:
        return run.number

    @admin.display(description="As of", empty_value="when it ran", ordering="question_date")
    def as_of(self, run: ReconciliationRun) -> Any:
        return run.question_date


class AmountsAdmin(ReadOnlyAdmin):
    """Amounts by currency are written beside each other, and never added."""

    amounts: tuple[str, ...] = ()

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name.removeprefix("written_") for name in self.amounts)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *self.amounts)

    @admin.display(description="True-up cost")
    def written_true_up(self, row: Any) -> str:
        return write_amounts(row.true_up)

    @admin.display(description="Over-licensed amount")
    def written_over_licensed(self, row: Any) -> str:
        return write_amounts(row.over_licensed)

    @admin.display(description="Potential savings")
    def written_potential_savings(self, row: Any) -> str:
        return write_amounts(row.potential_savings)

    @admin.display(description="Annual spend")
    def written_annual_spend(self, row: Any) -> str:
        return write_amounts(row.annual_spend)


@admin.register(ProductResult)
class ProductResultAdmin(AmountsAdmin):
    """Those that are current are the position of today."""

    amounts = ("written_true_up", "written_over_licensed", "written_potential_savings", "written_annual_spend")
    list_display = (
        "product",
        "publisher",
        "run",
        "current",
        "status",
        "owned",
        "unlimited",
        "used",
        "needed",
        "written_true_up",
        "written_over_licensed",
        "unpriced",
    )
    list_filter = ("current", "status")
    search_fields = ("publisher", "product")
    list_select_related = ("run",)
    related_lists = (
        RelatedList(label="Software model results", of="subscriptions_modelresult", lookup="product_result__id__exact"),
    )


@admin.register(ModelResult)
class ModelResultAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "publisher", "product", "edition", "current")
    list_filter = ("current",)
    search_fields = ("publisher", "product", "edition")
    related_lists = (
        RelatedList(label="License metric results", of="subscriptions_metricresult", lookup="model_result__id__exact"),
    )


@admin.register(MetricResult)
class MetricResultAdmin(AmountsAdmin):
    """Money that is not known is empty, and never 0."""

    amounts = ("written_annual_spend",)
    list_display = (
        "model_result",
        "metric",
        "status",
        "owned",
        "unlimited",
        "in_use",
        "used",
        "available",
        "needed",
        "price",
        "currency",
        "true_up",
        "over_licensed",
    )
    list_filter = ("status", "unlimited")
    search_fields = ("model_result__publisher", "model_result__product", "model_result__edition")
    list_select_related = ("model_result",)
    related_lists = (
        RelatedList(
            label="Licensed subscriptions",
            of="subscriptions_seatresult",
            lookup="metric_result__id__exact",
            narrowed=(("covered_by__in", "allocation,right"),),
        ),
        RelatedList(
            label="Unlicensed subscriptions",
            of="subscriptions_seatresult",
            lookup="metric_result__id__exact",
            narrowed=(("covered_by__exact", "none"),),
        ),
        RelatedList(label="Groups", of="subscriptions_groupresult", lookup="metric_result__id__exact"),
        RelatedList(
            label="Remediation options", of="subscriptions_remediationoption", lookup="metric_result__id__exact"
        ),
    )


@admin.register(GroupResult)
class GroupResultAdmin(ReadOnlyAdmin):
    list_display = ("metric_result", "value", "missing", "subvalue", "submissing", "in_use", "unlicensed", "cost_share")
    list_filter = ("missing",)
    list_select_related = ("metric_result__model_result",)


@admin.register(SeatResult)
class SeatResultAdmin(ReadOnlyAdmin):
    """There may be a million rows: in the order of their index, and without joins, since their names are copied."""

    ordering = ("metric_result_id", "covered_by", "rank")
    list_display = ("seat_name", "profile_name", "person_name", "is_leaver", "covered_by", "rank")
    list_filter = ("covered_by", "is_leaver", ("person", admin.EmptyFieldListFilter))


@admin.register(RemediationOption)
class RemediationOptionAdmin(ReadOnlyAdmin):
    list_display = ("metric_result", "kind", "rights", "cost", "currency", "affects_compliance", "state", "applied_at")
    list_filter = ("state", "kind", "affects_compliance")
    list_select_related = ("metric_result__model_result",)


@admin.register(UseDay)
class UseDayAdmin(ReadOnlyAdmin):
    """How many subscriptions counted at the end of a day: what charts draw, since no page counts."""

    ordering = ("-day", "identifier_id")
    list_display = ("day", "identifier", "in_use")
    list_select_related = ("identifier",)

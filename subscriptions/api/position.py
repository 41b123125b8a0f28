"""Reconciliations, and what they found: products, software models, license metrics, subscriptions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from samsaas.api.orders import fill_form, order
from samsaas.api.problems import Conflict
from samsaas.api.reading import Resource, find_row
from samsaas.api.routes import read_routes
from samsaas.api.rows import AccountName, AmountsByCurrency, ApiRow, Money, Number, Text
from samsaas.lib.tables import ListFilter
from subscriptions import recompute
from subscriptions.models import (
    ComplianceStatus,
    MetricResult,
    ModelResult,
    ProductResult,
    ReconciliationRun,
    SeatResult,
)
from subscriptions.reconciliation.filters import ReconciliationFilter
from subscriptions.reconciliation.forms import QuestionForm
from subscriptions.usage.filters import SeatResultFilter


class ReconciliationRow(ApiRow):
    number = Text()
    requested_by = AccountName()

    class Meta:
        model = ReconciliationRun
        fields = (
            *("id", "number", "run", "requested_by", "question_date", "publishers", "software_model", "group"),
            *("subgroup", "state", "started_at", "finished_at", "problem", "figures", "kept", "signature", "key_id"),
        )


class ProductResultRow(ApiRow):
    true_up, over_licensed = AmountsByCurrency(), AmountsByCurrency()
    potential_savings, annual_spend = AmountsByCurrency(), AmountsByCurrency()

    class Meta:
        model = ProductResult
        fields = (
            *("id", "run", "current", "publisher", "product", "status", "model_count", "out_of_compliance"),
            *("unlimited", "owned", "in_use", "used", "needed", "unlicensed", "unpriced", "true_up"),
            *("over_licensed", "potential_savings", "annual_spend"),
        )


class ModelResultRow(ApiRow):
    run = Number("product_result.run_id")

    class Meta:
        model = ModelResult
        fields = ("id", "run", "product_result", "current", "software_model", "publisher", "product", "edition")


class MetricResultRow(ApiRow):
    run = Number("model_result.product_result.run_id")
    current = serializers.BooleanField(source="model_result.current", read_only=True)
    software_model = Number("model_result.software_model_id", allow_null=True)
    publisher, product = Text("model_result.publisher"), Text("model_result.product")
    edition = Text("model_result.edition")
    price, true_up = Money("price"), Money("true_up")
    over_licensed, potential_savings = Money("over_licensed"), Money("potential_savings")
    annual_spend = AmountsByCurrency()

    class Meta:
        model = MetricResult
        fields = (
            *("id", "run", "model_result", "current", "software_model", "publisher", "product", "edition", "metric"),
            *("status", "owned", "unlimited", "in_use", "without_user", "of_leavers", "allocated", "allocated_in_use"),
            *("allocated_not_in_use", "not_allocated_in_use", "used", "available", "needed", "unlicensed"),
            *("excluded", "flags", "price", "true_up", "over_licensed", "open_candidates", "potential_savings"),
            *("annual_spend", "ends_on", "has_seats"),
        )


class SeatResultRow(ApiRow):
    class Meta:
        model = SeatResult
        fields = (
            *("id", "metric_result", "subscription", "seat_name", "profile_name", "person", "person_name"),
            *("is_leaver", "covered_by", "entitlement", "rank"),
        )


class FoundFilter(ListFilter):
    """The results of one reconciliation; without a choice those of the present position."""

    reconciliation = django_filters.ModelChoiceFilter(label="Reconciliation", queryset=ReconciliationRun.objects.all())
    present = {"current": True}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = super().filter_queryset(queryset)
        return chosen if self.form.cleaned_data.get("reconciliation") else chosen.filter(**self.present)


class FoundProductFilter(FoundFilter):
    reconciliation = django_filters.ModelChoiceFilter(
        label="Reconciliation", field_name="run", queryset=ReconciliationRun.objects.all()
    )
    status = django_filters.ChoiceFilter(label="Status", choices=ComplianceStatus.choices)

    class Meta:
        model = ProductResult
        fields = ("reconciliation", "status")


class FoundModelFilter(FoundFilter):
    reconciliation = django_filters.ModelChoiceFilter(
        label="Reconciliation", field_name="product_result__run", queryset=ReconciliationRun.objects.all()
    )

    class Meta:
        model = ModelResult
        fields = ("reconciliation",)


class FoundMetricFilter(FoundFilter):
    reconciliation = django_filters.ModelChoiceFilter(
        label="Reconciliation", field_name="model_result__product_result__run", queryset=ReconciliationRun.objects.all()
    )
    status = django_filters.ChoiceFilter(label="Status", choices=ComplianceStatus.choices)
    present = {"model_result__current": True}

    class Meta:
        model = MetricResult
        fields = ("reconciliation", "status")


class FoundSeatFilter(SeatResultFilter):
    metric_result = django_filters.ModelChoiceFilter(label="License metric result", queryset=MetricResult.objects.all())

    class Meta:
        model = SeatResult
        fields = (*SeatResultFilter.Meta.fields, "metric_result")


class Reconciliations(Resource):
    """Reconciliations: what was asked, when, and what it came to."""

    model, serializer_class, filterset = ReconciliationRun, ReconciliationRow, ReconciliationFilter
    related = ("requested_by",)

    @order(form=QuestionForm, answer=ReconciliationRow, status=HTTPStatus.CREATED, may_exist=True)
    def create(self, request: Request, body: dict[str, Any]) -> Any:
        """Ask for a reconciliation. If the same question is under way, the answer is that one, with 200."""
        now = timezone.now()
        form = fill_form(QuestionForm, body, now=now)
        asked, fresh = recompute.request(form.question, by=request.user, now=now)
        if asked is None:
            raise Conflict("It has ended in this moment. Ask once more.")
        found = find_row(self, asked.pk)
        return found if fresh else Response(ReconciliationRow(found).data)


class ProductResults(Resource):
    """Product results: the present license position by product, or that of a reconciliation."""

    model, serializer_class, filterset = ProductResult, ProductResultRow, FoundProductFilter


class ModelResults(Resource):
    """Software model results of the present license position, or of a reconciliation."""

    model, serializer_class, filterset = ModelResult, ModelResultRow, FoundModelFilter
    related = ("product_result",)


class MetricResults(Resource):
    """License metric results: rights owned, used, available and needed, and what that comes to in money."""

    model, serializer_class, filterset = MetricResult, MetricResultRow, FoundMetricFilter
    related = ("model_result__product_result",)


class SeatResults(Resource):
    """Licensed and unlicensed subscriptions of a license metric result, as long as they are stored."""

    model, serializer_class, filterset = SeatResult, SeatResultRow, FoundSeatFilter


patterns = [
    *read_routes("reconciliations", "reconciliation", Reconciliations, post="create"),
    *read_routes("product-results", "product_result", ProductResults),
    *read_routes("model-results", "model_result", ModelResults),
    *read_routes("metric-results", "metric_result", MetricResults),
    *read_routes("seat-results", "seat_result", SeatResults),
]

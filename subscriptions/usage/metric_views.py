"""Pages of one license metric: its figures as equations, its subscriptions, its groups, who has allocated rights."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions.models import MetricResult, ModelResult, PositionGroup, SeatResult, SoftwareModel
from subscriptions.usage import held_rights, metric_page
from subscriptions.usage.filters import SeatResultFilter
from subscriptions.usage.tables import GroupResultTable, HeldRightTable, SeatResultTable

RELATED = ("model_result__product_result__run", "model_result__software_model")
PAGE = "subscriptions/usage/metric_result.html"


def metric_result(request: SignedInRequest, pk: int) -> HttpResponse:
    """The figures of a license metric, why it has its status, and what mends it."""
    return render(request, PAGE, metric_page.describe(_get_metric(pk)))


def model_position(request: SignedInRequest, pk: int) -> HttpResponse:
    """What stands today of a software model, at an address that stays when it is computed anew."""
    model = get_object_or_404(SoftwareModel, pk=pk)
    current = ModelResult.objects.current().filter(software_model=model)
    metric = MetricResult.objects.filter(model_result__in=current).select_related(*RELATED).first()
    if metric is None:
        context = {"model": model, "under_way": metric_page.find_under_way(model.pk)}
        return render(request, "subscriptions/usage/no_position.html", context)
    return render(request, PAGE, metric_page.describe(metric))


def seat_result_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """The subscriptions that counted for a license metric, and why each is covered or not."""
    metric = _get_metric(pk)
    rows = SeatResult.objects.filter(metric_result=metric)
    context = tables.listing(request, rows, SeatResultTable, SeatResultFilter, describe=_describe_seats)
    context |= {"metric": metric, "is_filtered": bool(context["chips"])}
    return render(request, "subscriptions/usage/seat_result_list.html", context)


def _describe_seats(rows: QuerySet[SeatResult]) -> QuerySet[SeatResult]:
    return rows.select_related("subscription", "person", "entitlement", "metric_result")


def group_result_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """What is in use of a license metric, divided by department, cost center or country."""
    metric = _get_metric(pk)
    group, subgroup = (_read_group(request.GET.get(name, "")) for name in ("group", "subgroup"))
    group = group or PositionGroup.DEPARTMENT
    subgroup = subgroup if subgroup != group else None
    divided = metric_page.find_divided(metric, group, subgroup or PositionGroup.NONE)
    context: dict[str, Any] = {"metric": metric, "group": group, "subgroup": subgroup, "divided": divided}
    context["groups"] = [one for one in PositionGroup if one != PositionGroup.NONE]
    if divided is not None:
        columns = () if subgroup else ("subvalue",)
        rows = divided.groups.select_related("metric_result__model_result__product_result__run")
        context |= tables.listing(request, rows, GroupResultTable, exclude=columns)
    return render(request, "subscriptions/usage/group_result_list.html", context)


def _read_group(text: str) -> PositionGroup | None:
    return PositionGroup(text) if text in PositionGroup.values and text != PositionGroup.NONE else None


def held_right_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """Who has allocated rights of the software model today, and how many of them they use."""
    metric = _get_metric(pk)
    model = metric.model_result.software_model
    if model is None or not metric.model_result.current:
        return redirect(metric)
    people = held_rights.list_people(model.pk, timezone.localdate())
    is_narrowed = request.GET.get("use") == "not"
    rows = people.filter(idle__gt=0) if is_narrowed else people
    context = tables.listing(request, rows, HeldRightTable)
    context |= {"metric": metric, "is_narrowed": is_narrowed}
    return render(request, "subscriptions/usage/held_right_list.html", context)


def _get_metric(pk: int) -> MetricResult:
    return get_object_or_404(MetricResult.objects.select_related(*RELATED), pk=pk)

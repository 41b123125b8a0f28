"""Pages of the license position: publishers, one publisher, one product, one software model, one license metric."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions.models import MetricResult, ModelResult, ProductResult
from subscriptions.usage.tables import ProductResultTable

PLAIN = "subscriptions/usage/plain_result.html"


def license_usage(request: SignedInRequest) -> HttpResponse:
    """The license position of today, by product."""
    context = tables.listing(request, ProductResult.objects.current(), ProductResultTable)
    return render(request, "subscriptions/usage/license_usage.html", context)


def publisher_result(request: SignedInRequest, publisher: str) -> HttpResponse:
    """The license position of today of one publisher, by product."""
    rows = ProductResult.objects.current().filter(publisher=publisher)
    if not rows:
        raise Http404("No product of this publisher is in the license position.")
    context = {"publisher": publisher} | tables.listing(request, rows, ProductResultTable)
    return render(request, "subscriptions/usage/license_usage.html", context)


def product_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The result of one product in one run."""
    return render(request, PLAIN, {"result": get_object_or_404(ProductResult, pk=pk)})


def model_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The result of one software model in one run."""
    return render(request, PLAIN, {"result": get_object_or_404(ModelResult, pk=pk)})


def metric_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures of one software model by one license metric."""
    rows = MetricResult.objects.select_related("model_result")
    return render(request, PLAIN, {"result": get_object_or_404(rows, pk=pk)})

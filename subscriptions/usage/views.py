"""Pages of the license position: publishers, one publisher, one product, one software model."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.local_path import read_local_path
from subscriptions import counting
from subscriptions.entitlements.terms import Book
from subscriptions.models import MetricResult, ModelResult, ProductResult
from subscriptions.reconciliation import tiers
from subscriptions.usage import amounts, drawings, model_page, potential, publishers, shown
from subscriptions.usage.filters import ProductResultFilter
from subscriptions.usage.forms import UsageForm
from subscriptions.usage.tables import ProductResultTable

CARDS_A_PAGE = 24
PAGE = "subscriptions/usage/license_usage.html"


def license_usage(request: SignedInRequest) -> HttpResponse:
    """The publishers of a position as cards or as a list, with the totals over all of them."""
    position = shown.read_shown(request)
    found = publishers.list_publishers(position, request.user) if position.missing is None else []
    form = UsageForm(request.GET, currencies=publishers.list_currencies(found))
    wish = form.read()
    if wish["currency"]:
        amounts.prefer_currency(request, wish["currency"])
    sums, total = publishers.sum_all(found)
    main = drawings.main_currency(sums["annual_spend"], amounts.preferred_currency(request))
    listed = publishers.order(publishers.narrow(found, wish["q"], wish["status"]), wish["sort"], main)
    context: dict[str, Any] = {"position": position, "form": form, "view": wish["view"], "kept": form.kept_query()}
    context |= {"sums": sums, "potential": total, "candidates_url": counting.url_of_candidates()}
    context["page"] = Paginator(listed, CARDS_A_PAGE).get_page(request.GET.get("page"))
    context["has_publishers"] = bool(found)
    return render(request, PAGE, context | (_draw_position(position, main) if found else {}))


def _draw_position(position: shown.Shown, currency: str, **words: str) -> dict[str, Any]:
    """The charts over all software models of a position, or over those of a publisher or product."""
    models = list(position.models.filter(**words).values_list("software_model", flat=True))
    known = [key for key in models if key is not None]
    book = Book.read_terms(software_model__in=known)
    return {
        "use_chart": drawings.draw_use(known, position.day, book),
        "spend_chart": drawings.draw_spend(book, position.day, currency),
        "bands": drawings.list_bands(known) if position.is_today else [],
    }


@require_POST
def license_usage_pin(request: SignedInRequest) -> HttpResponse:
    """Show a publisher first, or no longer."""
    name, wanted = request.POST.get("publisher", ""), request.POST.get("pin") == "yes"
    if not publishers.pin(name, by=request.user, pinned=wanted):
        messages.error(request, "No position has this publisher.")
    return redirect(read_local_path(request.POST.get("next")) or "license-usage")


def publisher_result(request: SignedInRequest, publisher: str) -> HttpResponse:
    """The position of one publisher: its sums, its products, and its charts."""
    position = shown.read_shown(request)
    rows = position.products.filter(publisher=publisher)
    products = list(rows)
    if not products:
        raise Http404("No product of this publisher is in the position.")
    sums = tiers.sum_products(products)
    live = potential.by_product() if position.is_today else {}
    main = drawings.main_currency(sums["annual_spend"], amounts.preferred_currency(request))
    context = tables.listing(request, rows, ProductResultTable, ProductResultFilter)
    context |= {
        "position": position,
        "publisher": publisher,
        "sums": sums,
        "without_entitlement": publishers.count_without_entitlement(products),
        "potential": publishers.sum_potential(products, position, live),
        "candidates_url": counting.url_of_candidates(publisher=publisher),
        **_draw_position(position, main, publisher=publisher),
    }
    return render(request, "subscriptions/usage/publisher_result.html", context)


def product_result(request: SignedInRequest, pk: int) -> HttpResponse:
    """The position of one product: its software models, of which it is the sum."""
    product = get_object_or_404(ProductResult.objects.select_related("run"), pk=pk)
    if not product.current and "/model-" in product.run.scope_key:
        return _go_to_newer(request, product)
    position = shown.of_product(product)
    words = {"publisher": product.publisher, "product": product.product}
    live = potential.by_product() if position.is_today else {}
    context = {
        "position": position,
        "product_sum": product,
        "publisher_url": publishers.publisher_url(product.publisher, position.query),
        "metrics": _list_metrics(position, **words),
        "potential": publishers.sum_potential([product], position, live),
        "newer": None if product.current else _newer(product),
        **_draw_position(
            position, drawings.main_currency(product.annual_spend, amounts.preferred_currency(request)), **words
        ),
    }
    return render(request, "subscriptions/usage/product_result.html", context)


def _list_metrics(position: shown.Shown, **words: str) -> list[MetricResult]:
    rows = MetricResult.objects.filter(model_result__in=position.models.filter(**words))
    rows = rows.select_related("model_result__product_result__run")
    return list(rows.order_by("model_result__edition", "model_result"))


def _newer(product: ProductResult) -> ProductResult | None:
    return ProductResult.objects.current().filter(publisher=product.publisher, product=product.product).first()


def _go_to_newer(request: SignedInRequest, product: ProductResult) -> HttpResponse:
    """A run of one software model has sums over models that it did not compute, so its rows would not add up."""
    newer = _newer(product)
    messages.info(request, f"{product.run.number} was about one software model. This is what stands today.")
    return redirect(newer or product.run)


def model_result(request: SignedInRequest, pk: int) -> HttpResponse:
    """The position of one software model: its license metrics, its entitlements, its charts, the vendor's own count."""
    one = get_object_or_404(ModelResult.objects.select_related("product_result__run", "software_model"), pk=pk)
    return render(request, "subscriptions/usage/model_result.html", model_page.describe(one))

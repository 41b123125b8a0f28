"""What the page of one software model's position shows beside its figures."""

from __future__ import annotations

from typing import Any

from profiles.models import IntegrationProfile
from subscriptions.entitlements.terms import Book, DerivedState
from subscriptions.models import Entitlement, ModelResult, ProductResult, ReconciliationRun
from subscriptions.usage import drawings, publishers
from subscriptions.usage.shown import ANSWERED, Shown

MOST_ENTITLEMENTS = 25
ORDER = (DerivedState.IN_USE, DerivedState.PENDING, DerivedState.BUILD, DerivedState.EXPIRED, DerivedState.SUPERSEDED)


def position_of(one: ModelResult) -> Shown:
    """The position that a result of a software model belongs to."""
    return Shown() if one.current else Shown(run=one.product_result.run)


def product_of(one: ModelResult) -> ProductResult:
    """The result of the product that is the sum of this one: of today, the newest."""
    current = ProductResult.objects.current().filter(publisher=one.publisher, product=one.product).first()
    return (current if one.current else None) or one.product_result


def describe(one: ModelResult) -> dict[str, Any]:
    """Everything the page shows."""
    position = position_of(one)
    metrics = list(one.metrics.all())
    for metric in metrics:
        metric.model_result = one
    models = [one.software_model_id] if one.software_model_id else []
    filters = {"model": one.software_model_id} if one.software_model_id else {}
    book = read_book(one)
    entitlements = list_entitlements(book, position)
    spend = metrics[0].annual_spend if metrics else {}
    return {
        "position": position,
        "model": one,
        "product_sum": product_of(one),
        "publisher_url": publishers.publisher_url(one.publisher, position.query),
        "metrics": metrics,
        "entitlements": entitlements[:MOST_ENTITLEMENTS],
        "more_entitlements": max(0, len(entitlements) - MOST_ENTITLEMENTS),
        "newer": None if one.current else newer_of(one),
        "use_chart": drawings.draw_use(models, position.day, book),
        "spend_chart": drawings.draw_spend(book, position.day, drawings.main_currency(spend, "")),
        "bands": drawings.list_bands(models, **filters) if one.current else [],
        "drift": list_drift(one),
    }


def newer_of(one: ModelResult) -> ModelResult | None:
    """The result that stands today, if this one does not."""
    return ModelResult.objects.current().filter(software_model=one.software_model_id).exclude(pk=one.pk).first()


def read_book(one: ModelResult) -> Book:
    """All entitlements of the model, drafts too."""
    return Book(Entitlement.objects.filter(software_model=one.software_model_id) if one.software_model_id else ())


def list_entitlements(book: Book, position: Shown) -> list[tuple[Entitlement, DerivedState]]:
    """The entitlements of a model with their state on that day: those in force first, then those to come."""
    states = [(entitlement, book.state_on(entitlement, position.day)) for entitlement in book.entitlements]
    places = {state: place for place, state in enumerate(ORDER)}
    return sorted(states, key=lambda row: (places.get(row[1], len(ORDER)), row[0].pk))


def list_drift(one: ModelResult) -> dict[str, list[dict[str, Any]]]:
    """What the vendors say beside what is counted here, from the newest whole run: of the vendors of this model."""
    vendors = _vendors_of(one)
    runs = ReconciliationRun.objects.filter(question_date=None, scope_key__endswith="/all", state__in=ANSWERED)
    last = runs.first() if one.current and vendors else None
    if last is None:
        return {}
    names = dict(IntegrationProfile.objects.filter(vendor__in=vendors).values_list("pk", "vendor"))
    return {
        "profiles": [row for row in last.figures.get("profiles", []) if row["profile"] in names],
        "vendors": [row for row in last.figures.get("vendors", []) if row["vendor"] in vendors],
    }


def _vendors_of(one: ModelResult) -> set[str]:
    if one.software_model is None:
        return set()
    return set(one.software_model.identifiers.values_list("vendor", flat=True))

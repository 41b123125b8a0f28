"""What the page of one license metric shows."""

from __future__ import annotations

from typing import Any

from subscriptions.entitlements.terms import Book
from subscriptions.models import (
    Entitlement,
    MetricResult,
    ReconciliationRun,
    RemediationOption,
    SeatResult,
)
from subscriptions.reconciliation import live
from subscriptions.usage import equations, potential, publishers, status
from subscriptions.usage.equations import Ground
from subscriptions.usage.model_page import newer_of, position_of, product_of

LATEST_REMEDIES = 5


def describe(metric: MetricResult) -> dict[str, Any]:
    """Everything the page shows."""
    one = metric.model_result
    position = position_of(one)
    book = Book.read(software_model=one.software_model_id) if one.software_model_id else Book(())
    in_force = book.in_force(position.day)
    found = _potential(metric)
    ground = Ground(metric, in_force, found, position.day, one.current)
    last = status.last_ended(book.entitlements, position.day) if not in_force else None
    return {
        "position": position,
        "metric": metric,
        "model": one,
        "product_sum": product_of(one),
        "publisher_url": publishers.publisher_url(one.publisher, position.query),
        "equations": equations.list_equations(ground),
        "reason": status.explain(metric, last),
        "flags": status.explain_flags(metric),
        "uncovered_url": equations.seats_url(metric, covered=SeatResult.Covered.NONE),
        "without_user_url": equations.seats_url(metric, user="without"),
        "leavers_url": equations.seats_url(metric, user="left"),
        "options": list(metric.options.select_related("applied_by")) if one.current else [],
        "done": list_applied(one.software_model_id),
        "drafts": list_drafts(one.software_model_id) if one.current else [],
        "newer": None if one.current else newer_of(one),
        "under_way": find_under_way(one.software_model_id) if one.current else None,
    }


def _potential(metric: MetricResult) -> potential.Potential:
    """The open candidates now, or those that the run of a day that is over has seen."""
    model = metric.model_result.software_model_id
    if not metric.model_result.current or model is None:
        return potential.of_metric(metric, metric.open_candidates)
    return potential.of_metric(metric, live.open_candidates().get(model, 0))


def list_applied(model_id: int | None) -> list[RemediationOption]:
    """The remedies that were applied to this software model last."""
    rows = RemediationOption.objects.filter(
        applied_at__isnull=False, metric_result__model_result__software_model=model_id
    )
    return list(rows.select_related("applied_by").order_by("-applied_at", "-pk")[:LATEST_REMEDIES]) if model_id else []


def list_drafts(model_id: int | None) -> list[Entitlement]:
    """Entitlements of the software model that count nowhere before they are published."""
    drafts = Entitlement.objects.filter(software_model=model_id, state=Entitlement.State.BUILD).order_by("pk")
    return list(drafts[:LATEST_REMEDIES]) if model_id else []


def find_under_way(model_id: int | None) -> ReconciliationRun | None:
    """A reconciliation of today that is not over and will give this software model a new result."""
    runs = ReconciliationRun.objects.filter(finished_at=None, question_date=None).select_related("run")
    return next((one for one in runs[:20] if _is_about(one, model_id)), None)


def _is_about(run: ReconciliationRun, model_id: int | None) -> bool:
    return "/model-" not in run.scope_key or run.software_model_id == model_id


def find_divided(metric: MetricResult, group: str, subgroup: str) -> MetricResult | None:
    """The newest result of the software model as of the same day that is divided by these groups."""
    run = metric.model_result.product_result.run
    day = None if metric.model_result.current else run.question_date
    if metric.model_result.software_model_id is None:
        return None
    rows = MetricResult.objects.filter(
        model_result__software_model=metric.model_result.software_model_id,
        model_result__product_result__run__group=group,
        model_result__product_result__run__subgroup=subgroup,
        model_result__product_result__run__question_date=day,
    )
    return rows.select_related("model_result__product_result__run").order_by("-pk").first()

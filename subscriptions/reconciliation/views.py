"""Pages of reconciliations: all of them, a new one, and one with its progress, its inputs and what it found."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from profiles.jobs import queue
from samsaas import audit
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.local_path import read_local_path
from subscriptions import recompute
from subscriptions.models import MetricResult, ModelResult, ProductResult, ReconciliationRun, Subscription
from subscriptions.question import end_of
from subscriptions.reconciliation import past_seats, sign, words
from subscriptions.reconciliation.filters import ReconciliationFilter
from subscriptions.reconciliation.forms import QuestionForm
from subscriptions.reconciliation.tables import (
    FoundModelTable,
    FoundProductTable,
    PastSeatTable,
    ReconciliationTable,
)

UNDER_WAY = "The same was asked for already. This is the reconciliation under way."
SIGNED, FALSE_SIGNATURE = "good", "bad"


def reconciliation_list(request: SignedInRequest) -> HttpResponse:
    """Every reconciliation, the newest first."""
    recompute.settle_ended(timezone.now())
    runs = ReconciliationRun.objects.annotate(took=F("finished_at") - F("started_at"))
    context = tables.listing(request, runs, ReconciliationTable, ReconciliationFilter, describe=_describe_runs)
    context["is_filtered"] = bool(context["chips"])
    return render(request, "subscriptions/reconciliation/reconciliation_list.html", context)


def _describe_runs(runs: QuerySet[ReconciliationRun]) -> QuerySet[ReconciliationRun]:
    return runs.select_related("software_model", "requested_by").defer("inputs", "signature")


def reconciliation_new(request: SignedInRequest) -> HttpResponse:
    """Ask for a reconciliation. The same question under way leads to that one."""
    now = timezone.now()
    form = QuestionForm(request.POST if request.method == "POST" else None, now=now, initial=_read_initial(request))
    if form.is_valid() and form.question:
        asked, fresh = recompute.request(form.question, by=request.user, now=now)
        if asked is not None:
            if not fresh:
                messages.info(request, UNDER_WAY)
            back = read_local_path(request.POST.get("next"))
            return redirect(back or asked)
        messages.error(request, "It has ended in this moment. Ask once more.")
    context = {"form": form, "back": read_local_path(request.GET.get("next"))}
    return render(request, "subscriptions/reconciliation/reconciliation_new.html", context)


def _read_initial(request: HttpRequest) -> dict[str, Any]:
    """What a link to the form already knows. The form refuses what it cannot use."""
    named = {name: request.GET[name][:40] for name in ("day", "group", "subgroup") if name in request.GET}
    return named | {"publishers": request.GET.getlist("publisher")[:50]}


def reconciliation_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One reconciliation: its progress or its figures, what it rests on, and what it found."""
    recompute.settle_ended(timezone.now())
    one = _get_run(pk)
    context: dict[str, Any] = {
        "one": one,
        "aside": words.list_aside(one),
        "counted_url": words.url_of_counted(one),
        "is_past": words.is_past(one),
        "inputs": words.list_inputs(one),
        "notes": words.list_notes(one),
        "signature": _verify(one) if "verify" in request.GET and one.signature else "",
        "has_results": one.products.exists(),
    }
    if one.finished_at and "/model-" in one.scope_key:
        context["metric"] = _metric_of(one)
        context |= tables.listing(request, ModelResult.objects.filter(product_result__run=one), FoundModelTable)
    elif one.finished_at:
        products = ProductResult.objects.filter(run=one).select_related("run")
        context |= tables.listing(request, products, FoundProductTable)
    return render(request, "subscriptions/reconciliation/reconciliation_detail.html", context)


def reconciliation_seats(request: SignedInRequest, pk: int, kind: str) -> HttpResponse:
    """The subscriptions that counted at the end of the day of a reconciliation, or were aside for one reason."""
    one = _get_run(pk)
    if kind not in past_seats.KINDS or not one.figures:
        raise Http404("A reconciliation counts no such subscriptions.")
    if not words.is_past(one):
        return redirect(words.url_of_kind(kind))
    rows = past_seats.list_seats(kind, end_of(words.day_of(one)))
    context = tables.listing(request, rows, PastSeatTable, describe=_describe_seats)
    context |= {"one": one, "label": words.KIND_LABELS[kind], "meaning": words.ASIDE_MEANINGS.get(kind, "")}
    context |= {"day": words.day_of(one), "number": words.count_of_kind(one, kind)}
    return render(request, "subscriptions/reconciliation/reconciliation_seats.html", context)


def _describe_seats(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    return rows.select_related("profile", "identifier")


def _metric_of(run: ReconciliationRun) -> MetricResult | None:
    metrics = MetricResult.objects.filter(model_result__product_result__run=run)
    return metrics.select_related("model_result__product_result__run").first()


def _verify(run: ReconciliationRun) -> str:
    """Whether the stored results are what was signed, as the tone of the notice that says so."""
    return SIGNED if sign.verify(run) else FALSE_SIGNATURE


def _get_run(pk: int) -> ReconciliationRun:
    return get_object_or_404(ReconciliationRun.objects.select_related("run", "software_model", "requested_by"), pk=pk)


@require_POST
def reconciliation_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a reconciliation. The results of before stand."""
    one = _get_run(pk)
    if one.run is not None and one.finished_at is None and queue.cancel(one.run, by=request.user):
        messages.success(request, f"{one.number} is being canceled. The results of before stand.")
    else:
        messages.info(request, f"{one.number} was over already.")
    recompute.settle_ended(timezone.now())
    return redirect(one)


@require_POST
def reconciliation_keep(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep the subscriptions behind the figures of a reconciliation as well, or no longer."""
    one, keep = _get_run(pk), request.POST.get("keep") == "yes"
    if one.finished_at is None:
        messages.info(request, f"{one.number} is not over yet.")
    elif one.kept != keep:
        ReconciliationRun.objects.filter(pk=one.pk).update(kept=keep)
        audit.record(request.user, "kept reconciliation" if keep else "stopped keeping reconciliation", one)
        messages.success(request, _kept_words(one, keep))
    return redirect(one)


def _kept_words(run: ReconciliationRun, keep: bool) -> str:
    if keep:
        return f"The subscriptions behind {run.number} are kept as long as nobody changes that."
    return f"When the results of {run.number} are replaced, only their figures stay."

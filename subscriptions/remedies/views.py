"""The page of one remedy: what it would do, row by row, and doing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas.lib.http import SignedInRequest
from subscriptions import counting, remedy_states
from subscriptions.models import RemediationOption
from subscriptions.remedies import create_allocations, purchase, remove_allocations, words

Kind = RemediationOption.Kind
NOTHING_PICKED = "Nobody is ticked, so nothing was changed."
ANEW = "The position is being computed anew."


def remedy_apply(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what a remedy would do, and do it when that is confirmed."""
    option = _get_option(pk)
    model = option.metric_result.model_result.software_model_id
    if reason := remedy_states.why_not(option):
        messages.info(request, reason)
        return redirect("model_position", model) if model else redirect(option.metric_result)
    if request.method != "POST":
        return render(request, "subscriptions/remedies/remedy_apply.html", _page_context(option))
    try:
        return _apply(request, option)
    except remedy_states.NotApplicable as refusal:
        messages.error(request, str(refusal))
        return redirect("model_position", model)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect("remedy_apply", option.pk)


def _get_option(pk: int) -> RemediationOption:
    related = ("metric_result__model_result__software_model", "applied_by")
    return get_object_or_404(RemediationOption.objects.select_related(*related), pk=pk)


def _page_context(option: RemediationOption) -> dict[str, Any]:
    metric = option.metric_result
    context: dict[str, Any] = {"option": option, "metric": metric, "model": metric.model_result, "rows": []}
    if option.kind == Kind.REMOVE_ALLOCATIONS:
        context["rows"] = remove_allocations.list_rows(metric, option.rights, day=timezone.localdate())
    elif option.kind == Kind.CREATE_ALLOCATIONS:
        context["rows"] = create_allocations.list_rows(metric, option.rights)
    elif option.kind == Kind.PURCHASE:
        context["draft"] = purchase.find_draft(option)
    elif option.kind == Kind.RECLAIM:
        context["candidates_url"] = _candidates_url(option)
    context["ticked"] = sum(1 for row in context["rows"] if row.is_ticked)
    return context


def _candidates_url(option: RemediationOption) -> str:
    return counting.url_of_candidates(model=option.metric_result.model_result.software_model_id)


def _apply(request: SignedInRequest, option: RemediationOption) -> HttpResponse:
    now = timezone.now()
    if option.kind == Kind.PURCHASE:
        draft = purchase.run(option.pk, by=request.user, now=now)
        messages.success(request, f"{draft.number} is a draft. Fill in what it costs, and publish it: then it counts.")
        return redirect("entitlement_edit", draft.pk)
    if option.kind == Kind.RECLAIM:
        with transaction.atomic():
            remedy_states.begin(remedy_states.lock(option.pk), by=request.user, now=now)
        messages.info(request, "Tick those to be removed, and press Reclaim. Every guard is asked again.")
        return redirect(_candidates_url(option))
    return _change_allocations(request, option)


def _change_allocations(request: SignedInRequest, option: RemediationOption) -> HttpResponse:
    keys = _read_picked(request)
    if not keys:
        messages.warning(request, NOTHING_PICKED)
        return redirect("remedy_apply", option.pk)
    is_removal = option.kind == Kind.REMOVE_ALLOCATIONS
    verb = remove_allocations.run if is_removal else create_allocations.run
    count, problems = verb(option.pk, keys, by=request.user, now=timezone.now())
    text = words.describe_done(count, "taken back" if is_removal else "allocated", problems)
    (messages.warning if problems else messages.success)(request, f"{text} {ANEW}")
    return redirect("model_position", option.metric_result.model_result.software_model_id)


def _read_picked(request: HttpRequest) -> list[int]:
    texts = request.POST.getlist("row")[: remove_allocations.MOST * 2]
    return list(dict.fromkeys(int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19))

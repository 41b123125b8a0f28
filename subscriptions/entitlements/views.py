"""Pages of entitlements: the list and its files, one with its versions, publishing, retiring, deleting a draft."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas import audit
from samsaas.lib import csv_export, selection, selection_bar, tables, workbook_export
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import PARAMETER, SelectionGone
from samsaas.lib.weigh_selection import read_weighed
from samsaas.lib.workbook_export import WrittenSheet
from subscriptions.entitlements import allocate, edit, figures, words
from subscriptions.entitlements.check import existing_renewal, list_warnings, overlapping_terms
from subscriptions.entitlements.columns import COLUMNS, write_row
from subscriptions.entitlements.filters import EntitlementFilter
from subscriptions.entitlements.recording.forms import RetireForm
from subscriptions.entitlements.selection import (
    ENTITLEMENTS,
    WORDS,
    allowed_actions,
    obstacle_to_publishing,
    visible_entitlements,
)
from subscriptions.entitlements.tables import EntitlementTable
from subscriptions.entitlements.terms import Book
from subscriptions.models import Allocation, Entitlement

SAMPLE = 10
PLACE = "entitlement_list"


def entitlement_list(request: SignedInRequest) -> HttpResponse:
    """All entitlements. Drafts can be selected and published."""
    rows, chosen = visible_entitlements(request), selection.read_for_file(request, ENTITLEMENTS)
    context = tables.listing(request, rows, EntitlementTable, EntitlementFilter, describe=_describe_rows, chosen=chosen)
    selection_bar.prepare_page(request, context, ENTITLEMENTS, allowed_actions(request))
    context["export_query"] = ENTITLEMENTS.filter_part(request.GET)
    context["is_filtered"] = bool(context["chips"])
    return render(request, "subscriptions/entitlements/entitlement_list.html", context)


def _describe_rows(rows: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
    open_ones = Allocation.objects.open().filter(entitlement=OuterRef("pk")).order_by().values("entitlement")
    allocated = Subquery(open_ones.annotate(total=Sum("quantity")).values("total"))
    return rows.select_related("software_model").annotate(allocated=Coalesce(allocated, 0))


def entitlement_select(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked in the list, and go on to another page of it or to an action."""
    return selection.answer(request, ENTITLEMENTS, allowed_actions(request))


def entitlement_publish_selected(request: SignedInRequest) -> HttpResponse:
    """Publish the drafts among the selected entitlements, after a page that says which ones they are."""
    try:
        chosen, found = read_weighed(request, ENTITLEMENTS, obstacle_to_publishing())
    except SelectionGone as gone:
        messages.error(request, str(gone))
        return redirect(PLACE)
    token = chosen.token
    back = ENTITLEMENTS.address(chosen.filter_query, token)
    if not found.able.count or found.is_too_large:
        messages.error(request, f"{found.in_words('published', WORDS)} Select others.")
        return redirect(back)
    change = found.change_for(request)
    if request.method != "POST" or change:
        context = {"found": found, "token": token, "change": change, "back": back}
        context |= {"sentence": found.in_words("published", WORDS), "sample": _sample(found.keys)}
        return render(request, "subscriptions/entitlements/publish_selected.html", context)
    return _publish_selected(request, found.keys, token)


def _publish_selected(request: SignedInRequest, keys: list[int], token: str) -> HttpResponse:
    published, problems = edit.publish_many(keys, by=request.user, now=timezone.now())
    if published:
        messages.success(request, f"{published:,} entitlement{' was' if published == 1 else 's were'} published.")
    for problem in problems[:SAMPLE]:
        messages.error(request, problem)
    selection.forget(request, token)
    return redirect(PLACE)


def _sample(keys: list[int]) -> list[Entitlement]:
    return list(Entitlement.objects.filter(pk__in=keys[:SAMPLE]).select_related("software_model").order_by("pk"))


def entitlement_export(request: SignedInRequest) -> HttpResponseBase:
    """The entitlements of the filter, or the selected ones, with the columns of the template: CSV, or a workbook."""
    token = request.GET.get(PARAMETER, "")
    try:
        chosen = ENTITLEMENTS.filter_part(request.GET)
        rows = selection.read(request, token, ENTITLEMENTS) if token else ENTITLEMENTS.matching_rows(request, chosen)
    except SelectionGone as gone:
        messages.error(request, str(gone))
        return redirect(PLACE)
    audit.record_export(request.user, "entitlements", rows=rows.count(), filters=request.GET.dict())
    header = ["Number", "State", *(column.label for column in COLUMNS)]
    if request.GET.get("as") == "xlsx":
        return workbook_export.respond("entitlements", [WrittenSheet("Entitlements", header, _exported_rows(rows))])
    return csv_export.stream("entitlements", header, _exported_rows(rows))


def _exported_rows(rows: QuerySet[Entitlement]) -> Iterator[tuple[Any, ...]]:
    every = rows.select_related("software_model", "owner", "renews").order_by("pk")
    for one in every.iterator(chunk_size=500):
        yield (one.number, words.write_state(one.shown_state), *write_row(one))  # type: ignore[attr-defined]


def entitlement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One entitlement: what it is worth today, its chain of renewals, what to look at, and who holds its rights."""
    one = get_object_or_404(visible_entitlements(request).select_related(*edit.RELATED), pk=pk)
    today = timezone.localdate()
    book = Book.read(software_model=one.software_model_id)
    context = {
        "one": one,
        "chain": words.list_chain(one, book),
        "renewal": existing_renewal(one),
        "warnings": list_warnings(one) + figures.list_allocation_warnings(one, today),
        "overlaps": overlapping_terms(one),
        "free": allocate.free_rights(one),
        "allocations": figures.list_allocations(one)[: figures.SHOWN],
        "counts": figures.count_allocations(one),
        "is_over": figures.is_over(one, today),
    }
    return render(request, "subscriptions/entitlements/entitlement_detail.html", context)


def entitlement_versions(request: HttpRequest, pk: int) -> HttpResponse:
    """Every version of an entitlement: who changed what, when and why."""
    one = get_object_or_404(Entitlement.objects.select_related("software_model"), pk=pk)
    versions = words.compare_versions(one.versions.select_related("by"))
    context = {"one": one, "versions": versions}
    return render(request, "subscriptions/entitlements/entitlement_versions.html", context)


def entitlement_publish(request: SignedInRequest, pk: int) -> HttpResponse:
    """Publish a draft, after a page that says from when on it counts and what to look at."""
    one = get_object_or_404(Entitlement.objects.select_related("software_model", "renews"), pk=pk)
    if request.method == "POST":
        try:
            edit.publish(one, by=request.user, now=timezone.now())
        except ValidationError as problem:
            _show_problems(request, problem)
        else:
            messages.success(request, f"{one.number} was published.")
        return redirect(one)
    context = {"one": one, "warnings": list_warnings(one)}
    return render(request, "subscriptions/entitlements/entitlement_publish.html", context)


def entitlement_retire(request: SignedInRequest, pk: int) -> HttpResponse:
    """Retire a published entitlement from a day on, with a reason."""
    one = get_object_or_404(Entitlement.objects.select_related("software_model"), pk=pk)
    form = RetireForm(request.POST or None, initial={"on": timezone.localdate()})
    if form.is_valid():
        data = form.cleaned_data
        try:
            edit.retire(one, data["on"], reason=data["reason"], by=request.user, now=timezone.now())
        except ValidationError as problem:
            form.add_error(None, ValidationError(problem.messages))
        else:
            messages.success(request, f"{one.number} is retired from {words.write_day(data['on'])} on.")
            return redirect(one)
    context = {"one": one, "form": form, "counts": figures.count_allocations(one)}
    return render(request, "subscriptions/entitlements/entitlement_retire.html", context)


def entitlement_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a draft, which has never counted."""
    one = get_object_or_404(Entitlement.objects.select_related("software_model"), pk=pk)
    if request.method != "POST":
        counts = figures.count_allocations(one)
        return render(request, "subscriptions/entitlements/entitlement_delete.html", {"one": one, "counts": counts})
    try:
        edit.delete_draft(one, by=request.user)
    except ValidationError as problem:
        _show_problems(request, problem)
        return redirect("entitlement_detail", pk)
    messages.success(request, "The draft was deleted.")
    return redirect(PLACE)


def _show_problems(request: HttpRequest, problem: ValidationError) -> None:
    for text in problem.messages:
        messages.error(request, text)

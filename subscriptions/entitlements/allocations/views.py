"""Pages of allocations: who holds rights of an entitlement, by hand and by file, releasing, and moving to a renewal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from samsaas import audit
from samsaas.lib import csv_export, tables, uploads
from samsaas.lib.http import SignedInRequest
from subscriptions.entitlements import allocate, figures, words
from subscriptions.entitlements.allocations import file as allocation_file
from subscriptions.entitlements.allocations.filters import AllocationFilter
from subscriptions.entitlements.allocations.forms import AllocationFileForm, AllocationForm, ReleaseForm
from subscriptions.entitlements.allocations.tables import AllocationTable
from subscriptions.entitlements.check import existing_renewal
from subscriptions.models import Allocation, Entitlement

EXAMPLE = (("1001", "1"), ("jose.pena@example.com", ""))


def allocation_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody who holds rights of an entitlement."""
    one = _get_entitlement(pk)
    context = tables.listing(request, figures.list_allocations(one), AllocationTable, AllocationFilter)
    context |= {"one": one, "free": allocate.free_rights(one)}
    return render(request, "subscriptions/entitlements/allocations/allocation_list.html", context)


def allocation_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Allocate rights to one person by hand."""
    one = _get_entitlement(pk)
    first = max(one.start, timezone.localdate())
    form = AllocationForm(request.POST or None, initial={"on": first, "who": request.GET.get("person", "")})
    if form.is_valid() and form.person:
        data = form.cleaned_data
        try:
            allocate.assign_by_hand(
                one, form.person, data["quantity"], on=data["on"], by=request.user, now=timezone.now()
            )
        except ValidationError as problem:
            form.add_error(None, ValidationError(problem.messages))
        else:
            messages.success(request, f"{form.person} has {data['quantity']:,} of the rights of {one.number}.")
            return redirect("allocation_list", one.pk)
    context = {"one": one, "form": form, "free": allocate.free_rights(one)}
    return render(request, "subscriptions/entitlements/allocations/allocation_new.html", context)


def allocation_release(request: SignedInRequest, pk: int) -> HttpResponse:
    """Free the rights of one person, from a day on."""
    held = get_object_or_404(Allocation.objects.select_related("person", "entitlement__software_model"), pk=pk)
    initial = {"on": max(held.assigned_on, timezone.localdate())}
    form = ReleaseForm(request.POST or None, initial=initial, assigned_on=held.assigned_on)
    if form.is_valid():
        try:
            allocate.release_by_hand(held, on=form.cleaned_data["on"], by=request.user, now=timezone.now())
        except ValidationError as problem:
            form.add_error(None, ValidationError(problem.messages))
        else:
            messages.success(request, f"The rights of {held.person} are free again.")
            return redirect("allocation_list", held.entitlement_id)
    context = {"held": held, "form": form, "one": held.entitlement}
    return render(request, "subscriptions/entitlements/allocations/allocation_release.html", context)


def allocation_import(request: SignedInRequest) -> HttpResponseBase:
    """Read a list of people, show line by line what it would do, and do that when it is confirmed.

    A page that takes a file has one address for all: `?entitlement=` says which one it is about.
    """
    asked = request.GET.get("entitlement", "")
    if "entitlement" not in request.GET:
        messages.info(request, "Open the entitlement whose rights you allocate, then its Allocations, then Import.")
        return redirect("entitlement_list")
    one = _get_entitlement(int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0)
    bound = request.method == "POST"
    given = (request.POST, request.FILES) if bound else (None, None)
    form = AllocationFileForm(*given, entitlement=one)
    if uploads.is_oversized(request, "file"):
        form.add_error("file", "The file is too large. Upload it in parts.")
    if bound and form.is_valid() and "errors" in request.POST:
        return _send_refused(request, form)
    if bound and form.is_valid() and "apply" in request.POST and _apply(request, one, form):
        return redirect("allocation_list", one.pk)
    shown = form if bound and form.lines else None
    context = {"one": one, "form": form, "preview": shown, "free": allocate.free_rights(one)}
    return render(request, "subscriptions/entitlements/allocations/allocation_import.html", context)


def _apply(request: SignedInRequest, one: Entitlement, form: AllocationFileForm) -> bool:
    """Allocate what the preview showed. False, with the reason as a message, where something is in the way."""
    if form.refused and "good" not in request.POST:
        messages.error(request, "Nothing was allocated: some lines are refused. Mend them, or tick the box below.")
        return False
    today = max(one.start, timezone.localdate())
    try:
        count = allocate.assign_lines(one, form.accepted, on=today, by=request.user, now=timezone.now())
    except ValidationError as problem:
        messages.error(request, f"Nothing was allocated. {' '.join(problem.messages)}")
        return False
    messages.success(request, f"{count:,} {'person has' if count == 1 else 'people have'} rights of {one.number} now.")
    return True


def _send_refused(request: SignedInRequest, form: AllocationFileForm) -> HttpResponseBase:
    """The refused lines with their problems, as a CSV file that can be corrected and uploaded again."""
    lines = form.refused
    audit.record_export(request.user, "refused allocations", rows=len(lines), filters={"entitlement": form.entitlement})
    rows: Iterator[tuple[Any, ...]] = ((one.text, one.quantity_text, one.number, one.problem) for one in lines)
    return csv_export.stream("refused-allocations", [*allocation_file.HEADINGS, "line", "problem"], rows)


def allocation_example(request: SignedInRequest) -> HttpResponseBase:
    """An example file with both columns."""
    return csv_export.stream("allocations-example", list(allocation_file.HEADINGS), EXAMPLE)


@require_POST
def allocation_carry(request: SignedInRequest, pk: int) -> HttpResponse:
    """Move the allocations of an entitlement to its renewal."""
    one = _get_entitlement(pk)
    renewal = existing_renewal(one)
    if renewal is None:
        messages.error(request, f"{one.number} has no renewal.")
        return redirect(one)
    try:
        moved, left = allocate.carry_over(one, renewal, by=request.user, now=timezone.now())
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(one)
    messages.success(request, words.write_carried(moved, left, renewal))
    return redirect(renewal)


def _get_entitlement(pk: int) -> Entitlement:
    return get_object_or_404(Entitlement.objects.select_related("software_model"), pk=pk)

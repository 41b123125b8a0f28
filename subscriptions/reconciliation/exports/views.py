"""A position to take away: CSV, a workbook, and a page to print. All are made of what was signed."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render

from samsaas import audit
from samsaas.lib import csv_export, workbook_export
from samsaas.lib.http import SignedInRequest
from subscriptions.models import ReconciliationRun
from subscriptions.reconciliation.exports import check, columns, printed, rows, signed_position
from subscriptions.reconciliation.exports.signed_position import SignedPosition

NO_RESULTS = "This reconciliation has no results yet, or failed."


def position_csv(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The position as CSV, with its signature."""
    position = _read_for_export(request, pk)
    return csv_export.stream(_name_file(position), columns.HEADER, rows.make_lines(position))


def position_xlsx(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The position as a workbook, with its signature."""
    position = _read_for_export(request, pk)
    return workbook_export.respond(_name_file(position), rows.make_sheets(position))


def position_print(request: SignedInRequest, pk: int) -> HttpResponse:
    """The position on paper: the day, the figures, how old their inputs are, and the signature."""
    run, position = _read(pk)
    context = {
        "run": run,
        "facts": list(rows.list_facts(position.content)),
        "headings": printed.list_headings(),
        "lines": printed.list_lines(position.content),
        "position": position,
        "changes": check.list_stored_changes(run, position),
        "bare": True,
    }
    return render(request, "subscriptions/reconciliation/position_print.html", context)


def _read(pk: int) -> tuple[ReconciliationRun, SignedPosition]:
    found = ReconciliationRun.objects.select_related("document").exclude(state=ReconciliationRun.State.FAILED)
    run = get_object_or_404(found, pk=pk)
    position = signed_position.read_run(run)
    if position is None or not position.content:
        raise Http404(NO_RESULTS)
    return run, position


def _read_for_export(request: SignedInRequest, pk: int) -> SignedPosition:
    run, position = _read(pk)
    count = len(position.content["results"])
    audit.record_export(request.user, "license position", rows=count, filters={"reconciliation": run.number})
    return position


def _name_file(position: SignedPosition) -> str:
    return f"license-position-{position.content['number']}"

"""Pages of reconciliations: all of them, and one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions.models import ReconciliationRun
from subscriptions.reconciliation.tables import ReconciliationTable


def reconciliation_list(request: SignedInRequest) -> HttpResponse:
    """Every reconciliation, the newest first."""
    context = tables.listing(request, ReconciliationRun.objects.all(), ReconciliationTable)
    return render(request, "subscriptions/reconciliation/reconciliation_list.html", context)


def reconciliation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One reconciliation."""
    one = get_object_or_404(ReconciliationRun, pk=pk)
    return render(request, "subscriptions/reconciliation/reconciliation_detail.html", {"one": one})

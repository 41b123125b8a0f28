"""The page of the ledger of savings."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reclamation.models import SavingsEntry
from reclamation.savings import figures
from reclamation.savings.filters import SavingsFilter
from reclamation.savings.tables import SavingsTable
from samsaas.lib import tables


def savings_list(request: HttpRequest) -> HttpResponse:
    """What removals freed and what went back, with the lines behind the figures."""
    rows = SavingsEntry.objects.select_related("candidate")
    context = tables.listing(request, rows, SavingsTable, SavingsFilter)
    context["totals"] = figures.totals(SavingsEntry.objects.all())
    return render(request, "reclamation/savings/savings_list.html", context)

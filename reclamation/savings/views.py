"""Pages of savings: what removals come to, and the lines of the ledger behind every figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.savings import breakdown, figures, months, pending
from reclamation.savings.figures import Figure
from reclamation.savings.filters import SavingsFilter
from reclamation.savings.tables import SavingsTable
from samsaas import audit
from samsaas.lib import csv_export, tables
from samsaas.lib.http import SignedInRequest
from subscriptions.renewals import recommend

SHOWN = 20
HEADER = (
    *("Day", "Kind", "Quantity", "Amount a year", "Currency", "Price", "Subscription", "Software model", "Rule"),
    *("Subscription profile", "Department", "Renewal", "Note"),
)


def savings_list(request: HttpRequest) -> HttpResponse:
    """What removals freed, what is money already, what will be and when, and what went back."""
    today, book = timezone.localdate(), recommend.read_book()
    chosen = request.GET.get("by", "model")
    chosen = chosen if chosen in breakdown.DIVISIONS else "model"
    waiting, ended = pending.list_pending(today, book), pending.list_ended(book, today)
    reductions = pending.list_reductions(today)
    ledger = figures.describe_ledger(today)
    context: dict[str, Any] = {
        "ledger": ledger,
        "sum": breakdown.make_cells(ledger, {}),
        "urls": {name: figures.entries_url(lines=name) for name in breakdown.NAMES},
        "potential": figures.describe_potential(),
        "pending": waiting,
        "next": pending.next_deadline(waiting),
        "charts": months.draw_months(today),
        "groups": breakdown.divide(today, chosen),
        "divisions": [(name, label, name == chosen) for name, (label, _) in breakdown.DIVISIONS.items()],
        "division": breakdown.DIVISIONS[chosen][0],
        "ended": ended[:SHOWN],
        "ended_count": len(ended),
        "reductions": reductions[:SHOWN],
        "otherwise": sum(one.otherwise for one in reductions),
        "is_empty": not SavingsEntry.objects.exists(),
    }
    return render(request, "reclamation/savings/savings_list.html", context)


def savings_entries(request: HttpRequest) -> HttpResponse:
    """The lines of the ledger. Its last row is their sum, whatever page of it is shown."""
    rows = SavingsEntry.objects.select_related("candidate", "entitlement")
    matching = SavingsFilter(request.GET, queryset=SavingsEntry.objects.all(), request=request).qs
    context = tables.listing(request, rows, SavingsTable, SavingsFilter, total=_add_up(matching))
    context["export_query"] = request.GET.urlencode()
    return render(request, "reclamation/savings/savings_entries.html", context)


def _add_up(lines: QuerySet[SavingsEntry]) -> Figure:
    """The sum of lines, with their signs."""
    total = Figure()
    rows = lines.order_by().values("currency")
    for row in rows.annotate(count=Sum("quantity"), known=Count("amount"), lines=Count("pk"), sum=Sum("amount")):
        total.add(row["count"], row["currency"], row["sum"], row["lines"] - row["known"])
    return total


def savings_export(request: SignedInRequest) -> HttpResponseBase:
    """The lines of the filter as a file."""
    lines = SavingsFilter(request.GET, queryset=SavingsEntry.objects.all(), request=request).qs
    audit.record_export(request.user, "savings", rows=lines.count(), filters=request.GET.dict())
    return csv_export.stream("savings", HEADER, _export_rows(lines.select_related("candidate", "entitlement")))


def _export_rows(lines: QuerySet[SavingsEntry]) -> Iterator[tuple[Any, ...]]:
    for one in lines.order_by("on", "pk").iterator(chunk_size=1000):
        yield (
            *(one.on.isoformat(), one.get_kind_display(), one.quantity, one.amount, one.currency, one.price),
            *(one.candidate.seat_name, one.software_model, one.rule_name, one.profile_name, one.department),
            *(one.entitlement.number if one.entitlement else "", one.note),
        )

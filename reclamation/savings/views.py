"""Pages of savings: what removals come to, and the lines of the ledger behind every figure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.savings import breakdown, figures, months, pending
from reclamation.savings.figures import SavingsFigure
from reclamation.savings.filters import SavingsFilter
from reclamation.savings.tables import SavingsTable
from samsaas import audit
from samsaas.lib import csv_export, tables
from samsaas.lib.http import SignedInRequest
from subscriptions.entitlements.terms import Book
from subscriptions.renewals import recommend

SHOWN = 20
HEADER = (
    *("Day", "Kind", "Quantity", "Amount a year", "Currency", "Price", "Subscription", "Software model", "Rule"),
    *("Subscription profile", "Department", "Renewal", "Note"),
)


def savings_list(request: HttpRequest) -> HttpResponse:
    """What removals freed, what is money already, what will be and when, and what went back."""
    today, book = timezone.localdate(), recommend.read_book()
    waiting = pending.list_pending(today, book)
    context: dict[str, Any] = {
        "potential": figures.describe_potential(),
        "pending": waiting,
        "next": pending.next_deadline(waiting),
        "charts": months.draw_months(today),
        "is_empty": not SavingsEntry.objects.exists(),
    }
    context |= _divide(request.GET.get("by", ""), today) | _list_renewals(book, today)
    return render(request, "reclamation/savings/savings_list.html", context)


def _divide(asked: str, today: date) -> dict[str, Any]:
    """The ledger as a whole, and divided as the address says."""
    chosen = asked if asked in breakdown.DIVISIONS else "model"
    ledger = figures.describe_ledger(today)
    urls = {name: figures.entries_url(lines=name) for name in breakdown.NAMES}
    return {
        "ledger": ledger,
        "sum": breakdown.make_cells(ledger, {}),
        "urls": urls | {"potential": f"{reverse('candidate_list')}?counted=true"},
        "groups": breakdown.divide(today, chosen),
        "divisions": [(name, label, name == chosen) for name, (label, _) in breakdown.DIVISIONS.items()],
        "division": breakdown.DIVISIONS[chosen][0],
    }


def _list_renewals(book: Book, today: date) -> dict[str, Any]:
    """The renewals that gave rights back, and the blocks that just ended."""
    reductions, ended = pending.list_reductions(today), pending.list_ended(book, today)
    return {
        "reductions": reductions[:SHOWN],
        "otherwise": sum(one.otherwise for one in reductions),
        "ended": ended[:SHOWN],
        "ended_count": len(ended),
    }


def savings_entries(request: HttpRequest) -> HttpResponse:
    """The lines of the ledger. Its last row is their sum, whatever page of it is shown."""
    rows = SavingsEntry.objects.select_related("candidate", "entitlement")
    matching = SavingsFilter(request.GET, queryset=SavingsEntry.objects.all(), request=request).qs
    context = tables.listing(request, rows, SavingsTable, SavingsFilter, total=_add_up(matching))
    context["export_query"] = request.GET.urlencode()
    return render(request, "reclamation/savings/savings_entries.html", context)


def _add_up(lines: QuerySet[SavingsEntry]) -> SavingsFigure:
    """The sum of lines, with their signs."""
    total = SavingsFigure()
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

"""The list of people with more than one subscription of a product, and its export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from samsaas import audit
from samsaas.lib import csv_export, tables
from samsaas.lib.http import SignedInRequest
from subscriptions.models import Person
from subscriptions.usage import several
from subscriptions.usage.amounts import preferred_currency, write_amounts
from subscriptions.usage.several import Several

BATCH = 1000
HEADER = ("employee number", "name", "department", "product", "subscriptions", "more than one", "cost a year")


def several_subscriptions(request: SignedInRequest) -> HttpResponse:
    """People with more than one subscription of a product, those first whose others cost most."""
    rows = several.find(timezone.localdate())
    page = Paginator(rows, tables.page_size(request)).get_page(request.GET.get("page"))
    preferred = preferred_currency(request)
    people = Person.objects.in_bulk([one.person_id for one in page.object_list])
    shown = [
        {"person": people[one.person_id], "row": one, "cost": _write(one.cost, preferred)}
        for one in page.object_list
        if one.person_id in people
    ]
    spare = sum(one.extra for one in rows)
    context = {"page": page, "shown": shown, "spare": spare, "total": _write(several.total(rows), preferred)}
    return render(request, "subscriptions/usage/several_subscriptions.html", context)


def several_subscriptions_export(request: SignedInRequest) -> HttpResponseBase:
    """All of them as a CSV file."""
    rows = several.find(timezone.localdate())
    audit.record_export(request.user, "people with more than one subscription of a product", rows=len(rows), filters={})
    return csv_export.stream("more-than-one-subscription", HEADER, _lines(rows))


def _lines(rows: list[Several]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        people = Person.objects.in_bulk([one.person_id for one in batch])
        for one in batch:
            if person := people.get(one.person_id):
                told = (person.key, person.name, person.department, one.product)
                yield (*told, one.count, one.extra, "; ".join(_write(one.cost)))


def _write(cost: Mapping[str, Decimal], preferred: str = "") -> list[str]:
    return write_amounts({currency: str(amount) for currency, amount in cost.items()}, preferred)

"""Pages of back-tests: those of a rule, a new one, and one with what it found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from reclamation.back_tests import figures, start
from reclamation.back_tests.filters import FindingFilter
from reclamation.back_tests.forms import BackTestForm
from reclamation.back_tests.tables import BackTestTable, FindingTable
from reclamation.models import BackTest, BackTestFinding, ReclamationRule
from samsaas import audit
from samsaas.lib import csv_export, tables
from samsaas.lib.http import SignedInRequest

HEADER = (
    *("Display name", "User principal name", "External user id", "Subscription profile", "Proposed on", "Reason"),
    *("Used before", "What became of it", "Used again"),
)
RULES = ReclamationRule.objects.select_related("software_model")


def backtest_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The back-tests of a rule, the newest first, beside what its real removals did."""
    rule = get_object_or_404(RULES, pk=pk)
    rows = BackTest.objects.filter(rule=rule).select_related("by", "run")
    context = tables.listing(request, rows, BackTestTable) | figures.describe_measured(rule)
    return render(request, "reclamation/back_tests/backtest_list.html", {**context, "rule": rule})


def backtest_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for settings and days, the rule's own or those of another back-test to begin with, and start it."""
    rule, now = get_object_or_404(RULES, pk=pk), timezone.now()
    form = BackTestForm(request.POST or None, rule=rule, now=now, like=_named_test(request, rule))
    if request.method == "POST" and form.is_valid():
        return redirect(start.run(rule, form.question, by=request.user, now=now))
    return render(request, "reclamation/back_tests/backtest_new.html", {"rule": rule, "form": form})


def _named_test(request: HttpRequest, rule: ReclamationRule) -> BackTest | None:
    """The back-test of the rule that the query string names; None for anything else."""
    key = request.GET.get("like", "")
    is_key = key.isascii() and key.isdigit() and len(key) < 18
    return BackTest.objects.filter(rule=rule, pk=int(key)).first() if is_key else None


def backtest_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of a back-test, or its figures with every subscription behind them."""
    test = _read_test(pk)
    context: dict[str, Any] = {"test": test, "rule": test.rule, "settings": figures.settings_in_words(test)}
    if test.is_done:
        context |= tables.listing(request, _findings(test), FindingTable, FindingFilter)
        context |= figures.describe(test) | figures.describe_measured(test.rule)
        context["to_beat"] = figures.TO_BEAT_WORDS
        context["export_query"] = request.GET.urlencode()
    return render(request, "reclamation/back_tests/backtest_detail.html", context)


def backtest_export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The findings of a back-test, narrowed down as on its page, as a CSV file."""
    test = _read_test(pk)
    rows = FindingFilter(request.GET, queryset=_findings(test).order_by("on", "pk"), request=request).qs
    chosen = {"back-test": str(test), **request.GET.dict()}
    audit.record_export(request.user, "back-test findings", rows=rows.count(), filters=chosen)
    return csv_export.stream(f"back-test-{test.pk}", HEADER, _lines(rows))


def _read_test(pk: int) -> BackTest:
    return get_object_or_404(BackTest.objects.select_related("rule__software_model", "run", "by"), pk=pk)


def _findings(test: BackTest) -> QuerySet[BackTestFinding]:
    return test.findings.select_related("subscription__profile")


def _lines(rows: QuerySet[BackTestFinding]) -> Iterator[tuple[Any, ...]]:
    for row in rows.iterator(chunk_size=2000):
        seat = row.subscription
        yield (
            *(seat.display_name, seat.email, seat.external_id, seat.profile.display_name, row.on),
            *(row.get_reason_display(), row.last_use_on, row.get_outcome_display(), row.back_on),
        )

"""What a report says: a few figures for the mail, and a table for the attachment, both as the pages have them.

No report names a person, because whoever reads it may have no account here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from reclamation.models import SavingsEntry
from reclamation.savings import breakdown, figures as savings
from samsaas.models import Report
from subscriptions.models import MetricResult, ReconciliationRun, SeatResult
from subscriptions.reconciliation.exports import columns, rows as position_rows, signed_position
from subscriptions.reconciliation.figures import price_in
from subscriptions.usage.amounts import write_amounts

NO_USER, NO_COST_CENTER = "No user", "No cost center"


class NothingYet(Exception):
    """There is nothing to report. The text says why."""


@dataclass(frozen=True)
class Content:
    """What is sent. `facts` are lines of the mail, `page` is where an account sees the same."""

    facts: list[tuple[str, str]]
    header: tuple[str, ...]
    rows: list[list[Any]]
    as_of: datetime
    page: str


def compile_content(kind: str, now: datetime) -> Content:
    """The report of this kind as of now. Raises `NothingYet`."""
    return KINDS[kind](now)


def last_position() -> ReconciliationRun:
    """The newest reconciliation of everything as of today that has results. Raises `NothingYet`."""
    whole = ReconciliationRun.objects.filter(question_date=None, scope_key__endswith="/all", document__isnull=False)
    run = whole.exclude(state=ReconciliationRun.State.FAILED).select_related("document").order_by("-pk").first()
    if run is None:
        raise NothingYet("There is no license position yet.")
    return run


def _report_position(now: datetime) -> Content:
    run = last_position()
    position = signed_position.read_run(run)
    totals = run.figures["totals"]
    if position is None or not position.content:
        raise NothingYet("The last license position cannot be read.")
    numbers = (("Rights owned", "owned"), ("In use", "in_use"), ("Rights needed", "needed"))
    money = (("True-up cost", "true_up"), ("Over-licensed", "over_licensed"), ("Annual spend", "annual_spend"))
    facts = [(label, f"{totals[name]:,}") for label, name in numbers]
    facts += [(label, _join(totals[name])) for label, name in money]
    facts.append(("Software models out of compliance", f"{totals['out_of_compliance']:,}"))
    table = list(position_rows.make_lines(position))
    return Content(facts, columns.HEADER, table, run.finished_at or now, "/license-usage/")


def _report_savings(now: datetime) -> Content:
    if not SavingsEntry.objects.exists():
        raise NothingYet("Nothing was reclaimed yet.")
    day = timezone.localdate(now)
    ledger, words = savings.describe_ledger(day), {"gone_back": "Gone back"}
    labels = {name: words.get(name, name.capitalize()) for name in breakdown.NAMES}
    facts = [(label, _write_saved(getattr(ledger, name))) for name, label in labels.items()]
    header = ("Software model", *(part for label in labels.values() for part in (label, f"{label}: a year")))
    groups = breakdown.divide(day, "model")
    table = [[group.label, *_saved_cells(group)] for group in groups]
    return Content(facts, header, table, now, "/savings/")


def _saved_cells(group: breakdown.LedgerGroup) -> Iterator[Any]:
    for name in breakdown.NAMES:
        figure = group.cells[name].figure
        yield figure.count
        yield _join({code: str(amount) for code, amount in figure.money.items()})


def _write_saved(figure: savings.SavingsFigure) -> str:
    money = _join({code: str(amount) for code, amount in figure.money.items()})
    unpriced = f", {figure.unknown:,} without a price" if figure.unknown else ""
    return f"{figure.count:,}{f' ({money} a year)' if money else ''}{unpriced}"


def _report_chargeback(now: datetime) -> Content:
    """What each cost center has in use, at the price of a right. The cost centers are those of now."""
    run, table, sums = last_position(), [], dict[str, Decimal]()
    current = MetricResult.objects.filter(model_result__current=True, has_seats=True).select_related("model_result")
    metrics = {one.pk: one for one in current}
    used = unpriced = 0
    centers = set()
    for row in _count_seats(list(metrics)):
        one, count = metrics[row["metric_result"]], row["used"]
        cost, center = price_in(one).times(count), _center(row)
        centers.add(center)
        used, unpriced = used + count, unpriced + (count if cost is None else 0)
        if cost is not None:
            sums[one.currency] = sums.get(one.currency, Decimal(0)) + cost
        model = one.model_result
        words = [center, model.publisher, model.product, model.edition, count, row["unlicensed"]]
        table.append([*words, "" if cost is None else cost, one.currency])
    facts = [("Cost centers", f"{len(centers - {NO_USER, NO_COST_CENTER}):,}"), ("In use", f"{used:,}")]
    facts.append(("Cost a year", _join({code: str(amount) for code, amount in sums.items()}) or "not known"))
    facts += [("In use without a known price", f"{unpriced:,}")] if unpriced else []
    return Content(facts, CHARGEBACK, table, run.finished_at or now, "/license-usage/")


def _count_seats(results: list[int]) -> Any:
    seats = SeatResult.objects.filter(metric_result__in=results).order_by()
    counted = seats.values("metric_result", "person__cost_center")
    not_covered = Count("pk", filter=Q(covered_by=SeatResult.Covered.NONE))
    return counted.annotate(used=Count("pk"), unlicensed=not_covered).order_by("person__cost_center", "metric_result")


def _center(row: Mapping[str, Any]) -> str:
    center = row["person__cost_center"]
    return NO_USER if center is None else str(center) or NO_COST_CENTER


def _join(amounts: Mapping[str, str]) -> str:
    return ", ".join(write_amounts(amounts))


CHARGEBACK = ("Cost center", "Publisher", "Product", "Edition", "In use", "Not covered", "Cost a year", "Currency")
KINDS: dict[str, Callable[[datetime], Content]] = {
    Report.Kind.POSITION: _report_position,
    Report.Kind.SAVINGS: _report_savings,
    Report.Kind.CHARGEBACK: _report_chargeback,
}

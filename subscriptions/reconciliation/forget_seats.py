# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Delete the seats of results that newer ones replaced, in small pieces; their figures stay.

Kept are the seats of the current results, of the last run of each past day's question, and of runs a person keeps.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Max, Q, QuerySet

from samsaas.lib import sql
from subscriptions.models import MetricResult, ReconciliationRun, SeatResult

SEAT_RESULTS = SeatResult._meta.db_table
PIECE = 20_000


def run(*, between: Callable[[], None] = lambda: None) -> int:
    """Delete them. Returns how many. `between` is called after every piece, and may raise to stop."""
    deleted = 0
    for result in replaced_results():
        piece = PIECE
        while piece == PIECE:
            piece = _delete_piece(result)
            deleted += piece
            between()
        MetricResult.objects.filter(pk=result.pk).update(has_seats=False)
    return deleted


def replaced_results() -> QuerySet[MetricResult]:
    """Results whose seats are still stored though only their figures are to be kept."""
    of_run = "model_result__product_result__run"
    of_past_days = ReconciliationRun.objects.exclude(finished_at=None).exclude(question_date=None)
    last = of_past_days.order_by().values("scope_key").annotate(last=Max("pk")).values("last")
    keeps = Q(model_result__current=True) | Q(**{f"{of_run}__kept": True}) | Q(**{f"{of_run}__in": last})
    return MetricResult.objects.filter(has_seats=True).exclude(keeps)


def _delete_piece(result: MetricResult) -> int:
    """Found by where they are stored, which PostgreSQL would otherwise look for among the seats of all results."""
    found = f"SELECT {{}} FROM {SEAT_RESULTS} WHERE metric_result_id = %s LIMIT {PIECE}"
    chosen = f"id IN ({found.format('id')})"
    if sql.is_postgresql():
        chosen = f"ctid = ANY (ARRAY({found.format('ctid')}))"
    return sql.execute(f"DELETE FROM {SEAT_RESULTS} WHERE {chosen}", [result.pk])

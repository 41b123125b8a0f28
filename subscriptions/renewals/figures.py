"""What stands beside the list of renewals: the age of the position, reductions not granted, what has no advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from subscriptions.entitlements.renewals import HORIZON_DAYS, is_due
from subscriptions.entitlements.terms import Book
from subscriptions.models import Entitlement, MetricResult, ModelResult, ReconciliationRun

SHOWN = 10


@dataclass(frozen=True)
class Ungranted:
    """A renewal that has more rights than the vendor was asked for."""

    before: Entitlement
    after: Entitlement


def describe_position(book: Book, today: date) -> dict[str, Any]:
    """What the page says besides its rows."""
    known = set(ModelResult.objects.current().values_list("software_model", flat=True))
    outside = [one for one in book.entitlements if one.software_model_id not in known]
    return {
        "last_run": latest_run(),
        "ungranted": list_ungranted(book, today)[:SHOWN],
        "outside": [one for one in outside if is_due(book, one, today, HORIZON_DAYS)][:SHOWN],
    }


def latest_run() -> ReconciliationRun | None:
    """The last whole run as of today: what is used is as old as it."""
    whole = ReconciliationRun.objects.filter(
        question_date=None, state=ReconciliationRun.State.COMPLETED, scope_key__endswith="/all"
    )
    return whole.order_by("-pk").only("pk", "finished_at", "started_at", "question_date", "scope_key").first()


def list_ungranted(book: Book, today: date) -> list[Ungranted]:
    """Renewals of the last 90 days with more rights than were asked for, latest first."""
    since = today - timedelta(days=HORIZON_DAYS)
    pairs = ((one, book.renewal(one)) for one in book.entitlements if one.reduction_asked_to is not None)
    found = [
        Ungranted(one, after)
        for one, after in pairs
        if after and since <= after.start <= today and _is_more(after, one.reduction_asked_to)
    ]
    return sorted(found, key=lambda pair: pair.after.start, reverse=True)


def _is_more(after: Entitlement, asked: int | None) -> bool:
    return after.unlimited or after.purchased_rights > (asked or 0)


def why_no_advice(one: Entitlement, figures: MetricResult | None, today: date) -> str:
    """Why nothing is recommended for an entitlement that is not among the renewals."""
    if figures is None:
        return (
            "Its software model is not in the present position: it is not managed, or it was not reconciled yet. "
            "So nobody knows what is used of it."
        )
    if one.retired_on is not None and one.retired_on <= today:
        return "It is retired, so there is nothing to renew."
    if one.start > today:
        return "It has not begun yet."
    return "It has a renewal already, or it ended long ago."


def count_urgent(rows: Iterable[Any]) -> dict[str, int]:
    """How many rows there are of each urgency."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.urgency] = counts.get(row.urgency, 0) + 1
    return counts

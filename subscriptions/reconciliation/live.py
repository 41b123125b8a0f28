# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""What pages ask anew whenever they are opened, because it changes between two runs: open candidates.

The cost grows with the open candidates, not with the seats.
"""

from __future__ import annotations

from django.db.models import QuerySet

from samsaas.lib import sql
from subscriptions import counting
from subscriptions.history import SEATS
from subscriptions.models import SoftwareModel, Subscription
from subscriptions.reconciliation import candidates
from subscriptions.reconciliation.read_facts import IDENTIFIERS, MODELS, PROFILES

COUNTS = "{0}.ended_at IS NULL AND NOT {0}.excluded AND {0}.consumes_license"


def open_candidates() -> dict[int, int]:
    """Open removal candidates on the seats that count now, by software model."""
    statement, values = candidates.open_seats(None)
    rows = sql.fetch_rows(
        f"""
        SELECT i.software_model_id, count(*)
        FROM {SEATS} t JOIN {IDENTIFIERS} i ON i.id = t.identifier_id JOIN {MODELS} s ON s.id = i.software_model_id
        JOIN {PROFILES} q ON q.id = t.profile_id
        WHERE t.id IN (SELECT d.subscription_id FROM ({statement}) d) AND {COUNTS.format("t")}
            AND s.under_management AND NOT EXISTS (
                SELECT 1 FROM {PROFILES} p JOIN {SEATS} e ON e.profile_id = p.id AND e.external_id = t.external_id
                WHERE p.vendor = q.vendor AND p.team_id = q.team_id AND q.team_id <> '' AND p.id < q.id
                    AND {COUNTS.format("e")}
            )
        GROUP BY i.software_model_id
        """,
        values,
    )
    return {int(model): int(number) for model, number in rows}


def counted_seats(model: SoftwareModel | None = None) -> QuerySet[Subscription]:
    """The seats that count now, of a software model or of all: the same as the position counts, each account once."""
    found = counting.counted()
    return (found if model is None else found.filter(identifier__software_model=model)).order_by()

# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""What pages ask anew whenever they are opened, because it changes between two runs: open candidates.

The cost grows with the open candidates, not with the seats.
"""

from __future__ import annotations

from django.db.models import QuerySet

from samsaas.lib import sql
from subscriptions import counting
from subscriptions.history import SEATS, places
from subscriptions.models import SoftwareModel, Subscription
from subscriptions.reconciliation import candidates
from subscriptions.reconciliation.read_facts import IDENTIFIERS, MODELS, PROFILES

CONSUMING = "{0}.ended_at IS NULL AND NOT {0}.excluded AND {0}.consumes_license"


def open_candidates() -> dict[int, int]:
    """Open removal candidates on the seats that count now, by software model.

    Each seat is looked up by itself: a join would have the database read all of them.
    """
    statement, values = candidates.open_seats(None)
    condition, shared = _counts_once()
    rows = sql.fetch_rows(
        f"""
        SELECT i.software_model_id, sum(c.number) FROM (
            SELECT (
                SELECT t.identifier_id FROM {SEATS} t
                WHERE t.id = d.subscription_id AND {CONSUMING.format("t")} {condition}
            ) AS identifier_id, count(*) AS number
            FROM ({statement}) d GROUP BY 1
        ) c JOIN {IDENTIFIERS} i ON i.id = c.identifier_id JOIN {MODELS} s ON s.id = i.software_model_id
        WHERE s.under_management
        GROUP BY i.software_model_id
        """,
        [*shared, *values],
    )
    return {int(model): int(number) for model, number in rows}


def _counts_once() -> tuple[str, list[int]]:
    """The condition that no earlier profile of the team has the account of a seat (t), if teams are shared at all."""
    shared = counting.shared_profiles()
    if not shared:
        return "", []
    return (
        f"""AND NOT (t.profile_id IN ({places(shared)}) AND EXISTS (
            SELECT 1 FROM {PROFILES} q
            JOIN {PROFILES} p ON p.vendor = q.vendor AND p.team_id = q.team_id AND p.id < q.id
            JOIN {SEATS} e ON e.profile_id = p.id AND e.external_id = t.external_id
            WHERE q.id = t.profile_id AND {CONSUMING.format("e")}
        ))""",
        shared,
    )


def counted_seats(model: SoftwareModel | None = None) -> QuerySet[Subscription]:
    """The seats that count now, of a software model or of all: the same as the position counts, each account once."""
    found = counting.counted()
    return (found if model is None else found.filter(identifier__software_model=model)).order_by()

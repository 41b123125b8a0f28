# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Entries that were committed after a seal had gone past their number.

PostgreSQL gives an entry its number when it is written, and shows it when its transaction commits: a long transaction
commits a small number late. Its transaction began to write before the seal was made, and PostgreSQL stores that order
(`xmin`). So an entry that somebody slips in afterwards is not late: it is never sealed, and verifying names it. Nor is
one that our own transaction has written.

SQLite has one writer at a time, so nothing there is ever late.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from samsaas.lib import sql
from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import seals

LONGEST_TRANSACTION = timedelta(hours=24)
FEWEST_SEALS = 100  # looked at although they are older, in case the clock jumped
ENTRIES = AuditEntry._meta.db_table
SEALS = AuditSeal._meta.db_table
BEGAN_BEFORE = f"""
    SELECT entry.id FROM {ENTRIES} entry
    CROSS JOIN LATERAL (
        SELECT xmin FROM {SEALS} WHERE until_pk >= entry.id ORDER BY number LIMIT 1
    ) seal
    WHERE entry.id = ANY(%s) AND age(entry.xmin) >= age(seal.xmin)
    AND (pg_current_xact_id_if_assigned() IS NULL OR age(entry.xmin) > age(pg_current_xact_id_if_assigned()::xid))
    ORDER BY entry.id
"""


def find(last: AuditSeal | None, *, now: datetime) -> list[int]:
    """The numbers of late entries that no seal up to `last` has, smallest first."""
    if last is None or not sql.is_postgresql():
        return []
    window = list(
        AuditSeal.objects.filter(number__lte=last.number)
        .exclude(at__lt=now - LONGEST_TRANSACTION, number__lte=last.number - FEWEST_SEALS)
        .order_by("number")
        .values_list("number", "count", "late_ids")
    )
    before = AuditSeal.objects.filter(number__lt=window[0][0]).order_by("-number").first() if window else last
    after = before.until_pk if before else 0
    present = AuditEntry.objects.filter(pk__gt=after, pk__lte=last.until_pk)
    sealed = sum(count - sum(pk <= after for pk in seals.numbers_in(late)) for _, count, late in window)
    if present.count() == sealed:
        return []
    known: set[int] = set()
    for seal in AuditSeal.objects.filter(number__in=[number for number, _, _ in window]).iterator(chunk_size=20):
        known |= seals.read_digests(seal).keys()
    unknown = [pk for pk in present.values_list("pk", flat=True).order_by("pk").iterator() if pk not in known]
    return [pk for (pk,) in sql.fetch_rows(BEGAN_BEFORE, [unknown])]

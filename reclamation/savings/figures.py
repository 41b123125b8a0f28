"""What the ledger comes to: subscriptions freed and gone back, and their money by currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from reclamation.models import SavingsEntry

Kind = SavingsEntry.Kind


@dataclass(frozen=True)
class Total:
    """The lines of one kind: how many, and their money by currency. `unknown` lines have no price."""

    kind: str
    label: str
    count: int
    money: dict[str, Decimal]
    unknown: int


def totals(entries: QuerySet[SavingsEntry]) -> list[Total]:
    """One total for every kind that removals write, in their order, also where there is none."""
    rows = entries.order_by().values("kind", "currency").annotate(lines=Count("pk"), sum=Sum("amount"))
    found = []
    for kind in (Kind.FREED, Kind.RESTORED, Kind.RETURNED):
        lines = [row for row in rows if row["kind"] == kind]
        found.append(
            Total(
                kind=kind,
                label=str(kind.label),
                count=sum(row["lines"] for row in lines),
                money={row["currency"]: row["sum"] for row in lines if row["sum"] is not None},
                unknown=sum(row["lines"] for row in lines if row["sum"] is None),
            )
        )
    return found

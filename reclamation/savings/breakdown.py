"""The ledger divided by month, software model, rule, profile or department: a row each, and their sum."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F
from django.db.models.functions import TruncMonth

from reclamation.savings.figures import Ledger, SavingsFigure, by_group, entries_url

# By what: parameter -> (label, column of the lines).
DIVISIONS = {
    "model": ("Software model", "software_model"),
    "month": ("Month", "on"),
    "rule": ("Rule", "rule_name"),
    "profile": ("Subscription profile", "profile_name"),
    "department": ("Department", "department"),
}
MOST_ROWS = 100
NAMES = ("freed", "gone_back", "saved", "pending", "lapsed")


@dataclass(frozen=True)
class Cell:
    figure: SavingsFigure
    url: str


@dataclass(frozen=True)
class LedgerGroup:
    """One row: a name, and its figures with the lines behind them."""

    label: str
    cells: dict[str, Cell]


def divide(day: date, chosen: str) -> list[LedgerGroup]:
    """The rows of a division, the largest first; months with the latest first. Beyond 100 the rest is one row."""
    found = by_group(day, TruncMonth("on") if chosen == "month" else F(DIVISIONS[chosen][1]))
    keys = sorted(found, key=lambda key: (-found[key].freed.count, str(key)))
    if chosen == "month":
        keys = sorted(found, reverse=True)
    rows = [LedgerGroup(_label(key), make_cells(found[key], _filters(chosen, key))) for key in keys[:MOST_ROWS]]
    if rest := keys[MOST_ROWS:]:
        rows.append(LedgerGroup(f"{len(rest):,} others", make_cells(_sum([found[key] for key in rest]), None)))
    return rows


def _label(key: Any) -> str:
    return f"{key:%B %Y}" if isinstance(key, date) else str(key) or "None"


def _filters(chosen: str, key: Any) -> dict[str, Any]:
    if isinstance(key, date):
        return {"since": key, "until": key.replace(day=monthrange(key.year, key.month)[1])}
    return {chosen: key} if key else {"without": chosen}


def make_cells(ledger: Ledger, filters: dict[str, Any] | None) -> dict[str, Cell]:
    """Its figures, each with the lines behind it, narrowed by these filters. None: no list has just these lines."""
    return {
        name: Cell(getattr(ledger, name), "" if filters is None else entries_url(lines=name, **filters))
        for name in NAMES
    }


def _sum(ledgers: list[Ledger]) -> Ledger:
    total = Ledger()
    for ledger in ledgers:
        for name in NAMES:
            one, whole = getattr(ledger, name), getattr(total, name)
            whole.count += one.count
            whole.unknown += one.unknown
            for currency, amount in one.money.items():
                whole.money[currency] = whole.money.get(currency, 0) + amount
    return total

"""The ledger of savings counted once more, in plain Python over the lines of a case, day by day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.subscriptions.reconciliation.recount import Recount, Row, day, money

YEAR = timedelta(days=366)


@dataclass
class Freed:
    """One removal: when it was freed, what for, and what became of it."""

    row: Row
    price: Decimal | None
    currency: str
    back_on: date | None = None
    saved_on: date | None = None
    lines: list[list[Any]] = field(default_factory=list)


class LedgerRecount:
    def __init__(self, case: dict[str, Any], until: date) -> None:
        self.case, self.until = case, until
        self.recount = Recount(case, until)
        self.freed: dict[str, Freed] = {}
        self.otherwise: dict[str, int] = {}

    def run(self) -> dict[str, Any]:
        rows = self.recount.tables.get("removals", [])
        days = [date.fromisoformat(row["removed_on"]) for row in rows]
        on = min(days, default=self.until)
        first = min((date.fromisoformat(one["start"]) for one in self.recount.entitlements), default=on)
        on = min(on, first)
        while on <= self.until:
            self.pass_day(on, rows)
            on += timedelta(days=1)
        return self.describe()

    def pass_day(self, on: date, rows: list[Row]) -> None:
        for row in rows:
            if day(row["removed_on"]) == on:
                self.free(row, on)
        for row in rows:
            for kind in ("restored", "returned"):
                if day(row[f"{kind}_on"]) == on:
                    self.take_back(self.freed[row["id"]], kind, on)
        for one in self.recount.entitlements:
            if date.fromisoformat(one["start"]) == on:
                self.renew(one, on)

    def free(self, row: Row, on: date) -> None:
        model = self.recount.models[row["model"]]
        rights = [
            one for one in self.recount.entitlements if one["model"] == row["model"] and self.recount.in_force(one, on)
        ]
        price, currency, _ = self.recount.price(model, rights)
        freed = self.freed[row["id"]] = Freed(row, price, currency if price is not None else "")
        amount = None if price is None else money(Fraction(price), currency)
        freed.lines.append([on, "freed", 1, amount, freed.currency])

    def take_back(self, freed: Freed, kind: str, on: date) -> None:
        """What is saved stays saved where the account only returns; a restoration takes the saving back, too."""
        if freed.back_on or (kind == "returned" and freed.saved_on):
            return
        if freed.saved_on:
            saved = next(line for line in freed.lines if line[1] == "saved")
            freed.lines.append([on, "saved_offset", -1, self.minus(saved[3]), saved[4]])
        first = freed.lines[0]
        freed.lines.append([on, kind, -1, self.minus(first[3]), first[4]])
        freed.back_on = on

    @staticmethod
    def minus(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else -amount

    def renew(self, one: Row, on: date) -> None:
        before = next((other for other in self.recount.entitlements if other["id"] == one["renews"]), None)
        if before is None or not self.recount.ever(one) or before["state"] == "build":
            return
        if "1" in (one["unlimited"], before["unlimited"]):
            return
        fewer = int(before["purchased_rights"] or 0) - int(one["purchased_rights"] or 0)
        waiting = [
            freed
            for freed in self.freed.values()
            if freed.row["model"] == one["model"] and not freed.back_on and not freed.saved_on
        ]
        waiting = [freed for freed in waiting if on - YEAR <= freed.lines[0][0] < on]
        waiting.sort(key=lambda freed: freed.lines[0][0])
        cost, rights = self.recount.yearly(before), int(before["purchased_rights"] or 0)
        price = money(cost / rights, before["currency"], 4) if cost is not None and rights else None
        amount = None if price is None else money(Fraction(price), before["currency"])
        oldest = waiting[: max(0, fewer)]
        for freed in oldest:
            freed.saved_on = on
            freed.lines.append([on, "saved", 1, amount, before["currency"] if amount is not None else ""])
        if fewer > len(oldest):
            self.otherwise[one["id"]] = fewer - len(oldest)

    def state(self, freed: Freed) -> str:
        if freed.back_on:
            return "offset"
        if freed.saved_on:
            return "saved"
        return "lapsed" if freed.lines[0][0] < self.until - YEAR else "pending"

    def describe(self) -> dict[str, Any]:
        states = {name: self.state(freed) for name, freed in self.freed.items()}
        lines = [line for freed in self.freed.values() for line in freed.lines]
        counts = {name: list(states.values()).count(name) for name in ("saved", "pending", "lapsed", "offset")}
        return {
            "freed": len(states),
            "freed_net": len(states) - counts["offset"],
            **counts,
            "freed_net_yearly": self.add(lines, ("freed", "restored", "returned")),
            "saved_yearly": self.add(lines, ("saved", "saved_offset")),
            "unattributed_reduction": self.otherwise,
            "state": states,
            "lines": [[*line[:3], None if line[3] is None else str(line[3]), line[4]] for line in lines],
        }

    @staticmethod
    def add(lines: list[list[Any]], kinds: tuple[str, ...]) -> dict[str, str]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for _, kind, _, amount, currency in lines:
            if kind in kinds and amount is not None:
                sums[currency] += amount
        return {currency: str(total) for currency, total in sorted(sums.items())}

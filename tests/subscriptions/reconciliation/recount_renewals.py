"""Renewals counted once more, in plain Python over the lines of a case: what ends, and what to renew with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.subscriptions.reconciliation.recount import Recount, Row, day, money


class Renewals:
    def __init__(self, recount: Recount, *, headroom: int, horizon: int) -> None:
        self.recount, self.on = recount, recount.on
        self.headroom, self.horizon = headroom, timedelta(days=horizon)
        self.models = recount.run()["models"]
        self.excluded = self.count_excluded()

    def count_excluded(self) -> dict[str, int]:
        """Accounts that are excluded and billed, and of which no seat counts."""
        seats = self.recount.listed()
        counted = {row["account"] for row in seats if row["kind"] == ""}
        billed = {
            (row["model"], row["account"])
            for row in seats
            if row["kind"] == "excluded" and row["consumes"] == "1" and row["model"] and row["account"] not in counted
        }
        return {model: sum(key == model for key, _ in billed) for model in self.models}

    def is_due(self, one: Row) -> bool:
        end, retired = day(one["end"]), day(one["retired_on"])
        if end is None or one["model"] not in self.models or self.recount.renewal(one):
            return False
        if self.recount.in_force(one, self.on):
            return end <= self.on + self.horizon
        is_retired = retired is not None and retired <= self.on
        return self.on - self.horizon <= end < self.on and not is_retired and self.recount.in_force(one, end)

    def run(self) -> list[dict[str, Any]]:
        due = [one for one in self.recount.entitlements if self.is_due(one)]
        advice: dict[str, int | None] = {}
        found = []
        for place, one in enumerate(due):
            end = date.fromisoformat(one["end"])
            renewal = end + timedelta(days=1)
            before = [other for other in due[:place] if (other["model"], other["end"]) == (one["model"], one["end"])]
            after = [
                other for other in due[place + 1 :] if (other["model"], other["end"]) == (one["model"], one["end"])
            ]
            others = self.others(one, max(self.on, renewal), before, after, advice)
            advice[one["id"]] = self.recommend(one, others)
            found.append(self.describe(one, renewal, advice[one["id"]]))
        order = {one["id"]: place for place, one in enumerate(self.recount.entitlements)}
        return sorted(found, key=lambda told: (told["renewal"], order[told["entitlement"]]))

    def others(self, one: Row, on: date, before: list[Row], after: list[Row], advice: dict[str, Any]) -> int | None:
        beside = [
            other
            for other in self.recount.entitlements
            if other["model"] == one["model"] and other["id"] != one["id"] and self.recount.in_force(other, on)
        ]
        if any(other["unlimited"] == "1" for other in (*beside, *before, *after)):
            return None
        rights = sum(int(other["purchased_rights"] or 0) for other in (*beside, *after))
        return rights + sum(advice[other["id"]] for other in before)

    def recommend(self, one: Row, others: int | None) -> int | None:
        if one["unlimited"] == "1" or others is None:
            return None
        model = self.models[one["model"]]
        keep = model["used"] + self.excluded[one["model"]] - model["open_candidates"]
        spare = Fraction(keep * self.headroom, 100)
        target = keep + spare.numerator // spare.denominator + (spare.denominator > 1)
        return max(0, int(one["minimum_rights"] or 0), target - others)

    def describe(self, one: Row, renewal: date, recommended: int | None) -> dict[str, Any]:
        reduce_by = renewal - timedelta(days=int(one["notice_days"]))
        change = None if recommended is None else recommended - int(one["purchased_rights"] or 0)
        return {
            "entitlement": one["id"],
            "renewal": renewal.isoformat(),
            "reduce_by": reduce_by.isoformat(),
            "days_left": (reduce_by - self.on).days,
            "too_late": self.on > reduce_by,
            "rights": int(one["purchased_rights"] or 0),
            "recommended": recommended,
            "change": change,
            "yearly_change": self.worth(one, change),
            "currency": one["currency"],
        }

    def worth(self, one: Row, change: int | None) -> str | None:
        cost, rights = self.recount.yearly(one), int(one["purchased_rights"] or 0)
        if change is None or cost is None or not rights:
            return None
        price = money(cost / rights, one["currency"], 4)
        exact = Fraction(price) * abs(change)
        amount = money(exact, one["currency"])
        return str(-amount if change < 0 else amount)


def as_page(told: dict[str, Any]) -> list[str]:
    """The columns of the page of renewals: rights, recommended, change, money."""
    if told["recommended"] is None:
        return ["no advice", "–", "–"]
    change = told["change"]
    sign = "−" if change < 0 else "+"
    shown = f"{sign}{abs(change):,}" if change else "no change"
    amount = "not known"
    if told["yearly_change"] is not None:
        exact = Decimal(told["yearly_change"])
        amount = f"{'−' if exact < 0 else '+' if exact else ''}{told['currency']} {abs(exact):,}"
    return [f"{told['recommended']:,}", shown, amount]

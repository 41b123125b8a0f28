"""The position of a case counted once more, in plain Python over its lines. It shares no code with the product."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

Row = dict[str, str]
DIGITS = {"JPY": 0, "KWD": 3}
OPEN = {"attention_required", "ready", "awaiting_user", "awaiting_approval", "awaiting_revocation"}
ASIDE = ("excluded", "no_license", "duplicate", "unrecognized", "not_managed")
AMOUNTS = ("true_up", "over_licensed", "potential_savings")


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def money(amount: Fraction, currency: str, digits: int | None = None) -> Decimal:
    places = DIGITS.get(currency, 2) if digits is None else digits
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(amount.numerator) / Decimal(amount.denominator)
        return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


class Recount:
    def __init__(self, case: dict[str, Any], on: date) -> None:
        self.on = on
        self.tables = {name: list(csv.DictReader(lines)) for name, lines in case["tables"].items()}
        self.group = case["question"]["group"]
        self.people = {row["id"]: row for row in self.tables.get("people", [])}
        self.entitlements = self.tables.get("entitlements", [])
        self.models = {row["id"]: row for row in self.tables["models"]}

    # --- what counts -----------------------------------------------------------------------------------------------
    def ever(self, one: Row) -> bool:
        retired = day(one["retired_on"])
        return one["state"] != "build" and (retired is None or retired > date.fromisoformat(one["start"]))

    def renewal(self, one: Row) -> Row | None:
        return next((other for other in self.entitlements if other["renews"] == one["id"] and self.ever(other)), None)

    def in_force(self, one: Row, on: date) -> bool:
        start, end, retired = date.fromisoformat(one["start"]), day(one["end"]), day(one["retired_on"])
        if one["state"] == "build" or start > on or (end and on > end) or (retired and on >= retired):
            return False
        renewal = self.renewal(one)
        return renewal is None or date.fromisoformat(renewal["start"]) > on

    def listed(self) -> list[Row]:
        standing = [
            row
            for row in self.tables["subscriptions"]
            if date.fromisoformat(row["since"]) <= self.on
            and (not row["until"] or self.on < date.fromisoformat(row["until"]))
        ]
        order = {row["id"]: place for place, row in enumerate(self.tables["profiles"])}
        team = {row["id"]: (row["vendor"], row["team_id"] or row["id"]) for row in self.tables["profiles"]}
        taken: set[tuple[Any, ...]] = set()
        for row in sorted(standing, key=lambda row: order[row["profile"]]):
            account = (*team[row["profile"]], row["external_id"])
            row["account"] = "|".join(account)
            row["kind"] = self.kind(row, account in taken)
            if row["excluded"] != "1" and row["consumes"] == "1":
                taken.add(account)
        return standing

    def kind(self, row: Row, is_taken: bool) -> str:
        if row["excluded"] == "1":
            return "excluded"
        if row["consumes"] != "1":
            return "no_license"
        if is_taken:
            return "duplicate"
        if not row["model"]:
            return "unrecognized"
        return "" if self.models[row["model"]]["under_management"] == "1" else "not_managed"

    # --- money -----------------------------------------------------------------------------------------------------
    def yearly(self, one: Row) -> Fraction | None:
        rights = int(one["purchased_rights"] or 0)
        if one["total_cost"]:
            total = Fraction(one["total_cost"])
        elif one["unit_cost"] and one["unlimited"] != "1":
            total = Fraction(one["unit_cost"]) * rights
        else:
            return None
        if one["period"] != "entire":
            return total * {"monthly": 12, "quarterly": 4, "annually": 1}[one["period"]]
        if not one["end"]:
            return None
        return total / self.years(date.fromisoformat(one["start"]), date.fromisoformat(one["end"]))

    @staticmethod
    def years(start: date, end: date) -> Fraction:
        for months in range(1, 400):
            year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
            following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
            shifted = min(date(year, month + 1, 1) + timedelta(days=start.day - 1), following - timedelta(days=1))
            if shifted == end + timedelta(days=1):
                return Fraction(months, 12)
        return Fraction((end - start).days + 1, 365)

    def price(self, model: Row, rights: list[Row]) -> tuple[Decimal | None, str, list[str]]:
        unknown = ["entitlement_without_price"] if any(self.yearly(one) is None for one in rights) else []
        if model["cost_override"]:
            return Decimal(model["cost_override"]), model["currency"], ["override", *unknown]
        owned: dict[str, int] = defaultdict(int)
        costs: dict[str, Fraction] = defaultdict(Fraction)
        for one in rights:
            cost = self.yearly(one)
            if cost is not None and one["unlimited"] != "1" and int(one["purchased_rights"] or 0):
                owned[one["currency"]] += int(one["purchased_rights"])
                costs[one["currency"]] += cost
        if not owned:
            return None, "", ["no_price", *unknown]
        best = sorted(owned, key=lambda code: (-owned[code], code))[0]
        mixed = ["mixed_currency"] if len(owned) > 1 else []
        return money(costs[best] / owned[best], best, 4), best, [*mixed, *unknown]

    # --- the position ----------------------------------------------------------------------------------------------
    def run(self) -> dict[str, Any]:
        seats = self.listed()
        models = {}
        for key, model in self.models.items():
            rights = [one for one in self.entitlements if one["model"] == key and self.in_force(one, self.on)]
            counted = [row for row in seats if row["kind"] == "" and row["model"] == key]
            if model["under_management"] == "1" and (counted or rights):
                models[key] = self.of_model(model, counted, rights)
        return {
            "models": models,
            "products": self.tier(models, ("publisher", "product")),
            "publishers": self.tier(models, ("publisher",)),
            "aside": {kind: sum(row["kind"] == kind for row in seats) for kind in ASIDE},
            "listed": len(seats),
            "counted": sum(row["kind"] == "" for row in seats),
        }

    def of_model(self, model: Row, seats: list[Row], rights: list[Row]) -> dict[str, Any]:
        keys = {one["id"] for one in rights}
        allocated: dict[str, int] = defaultdict(int)
        for row in self.tables.get("allocations", []):
            released = day(row["released_on"])
            is_open = date.fromisoformat(row["assigned_on"]) <= self.on and (released is None or self.on < released)
            if row["entitlement"] in keys and is_open:
                allocated[row["person"]] += int(row["quantity"])
        seats = sorted(seats, key=lambda row: (not row["person"], row["assigned_on"] or "9999", row["place"]))
        left, covered, rest = dict(allocated), 0, []
        for row in seats:
            if left.get(row["person"], 0) > 0:
                left[row["person"]] -= 1
                covered += 1
            else:
                rest.append(row)
        unlimited = any(one["unlimited"] == "1" for one in rights)
        owned = sum(int(one["purchased_rights"] or 0) for one in rights if one["unlimited"] != "1")
        total = sum(allocated.values())
        free = len(rest) if unlimited else max(0, owned - total)
        used = len(seats) + total - covered
        needed = 0 if unlimited else max(0, used - owned)
        price, currency, flags = self.price(model, rights)
        candidates = {row["subscription"] for row in self.tables.get("candidates", []) if row["state"] in OPEN}
        opened = sum(row["id"] in candidates for row in seats)
        times = lambda number: None if price is None else str(money(Fraction(price) * number, currency))  # noqa: E731
        spend: dict[str, Fraction] = defaultdict(Fraction)
        for one in rights:
            if (cost := self.yearly(one)) is not None:
                spend[one["currency"]] += cost
        status = "not_compliant" if needed else "compliant"
        found: dict[str, Any] = {
            "status": "not_entitled" if seats and not rights else status,
            "owned": "unlimited" if unlimited else owned,
            "in_use": len(seats),
            "without_user": sum(not row["person"] for row in seats),
            "of_leavers": sum(self.has_left(row["person"]) for row in seats),
            "allocated": total,
            "allocated_in_use": covered,
            "allocated_not_in_use": total - covered,
            "not_allocated_in_use": len(seats) - covered,
            "used": used,
            "available": "unlimited" if unlimited else owned - used,
            "needed": needed,
            "unlicensed": sorted(row["id"] for row in rest[free:]),
            "price": None if price is None else str(price.quantize(Decimal("0.0001"))),
            "currency": currency,
            "flags": flags,
            "true_up": times(needed),
            "over_licensed": times(0 if unlimited else max(0, owned - used)),
            "open_candidates": opened,
            "potential_savings": times(opened),
            "annual_spend": {code: str(money(cost, code)) for code, cost in sorted(spend.items())},
        }
        found["options"] = [] if unlimited else self.options(found, rights, price, currency)
        if self.group != "none":
            found["groups"] = self.groups(seats, set(found["unlicensed"]), price, currency)
        return found

    def has_left(self, person: str) -> bool:
        left = day(self.people.get(person, {}).get("left_on", ""))
        return left is not None and left < self.on

    def options(self, found: dict[str, Any], rights: list[Row], price: Any, currency: str) -> list[dict[str, Any]]:
        needed, last = found["needed"], max((one["end"] for one in rights if one["end"]), default="")
        buy = {"kind": "purchase", "rights": needed, "cost": found["true_up"], "affects_compliance": True}
        if last:
            days = (date.fromisoformat(last) - self.on).days + 1
            cost = None if price is None else str(money(Fraction(price) * needed * days / 365, currency))
            buy |= {"until": last, "cost_until": cost}
        with_user = found["in_use"] - found["without_user"] - found["allocated_in_use"]
        options = [
            {"kind": kind, "rights": number, "cost": "0", "affects_compliance": kind != "create_allocations"}
            for kind, number in (
                ("remove_allocations", min(needed, found["allocated_not_in_use"])),
                ("reclaim", min(needed, found["open_candidates"])),
                ("create_allocations", min(with_user, found["owned"] - found["allocated"])),
            )
        ]
        return [one for one in (*options[:2], buy, options[2]) if one["rights"] > 0]

    def groups(self, seats: list[Row], unlicensed: set[str], price: Any, currency: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in seats:
            value = self.people.get(row["person"], {}).get(self.group, "")
            name = value or (f"No {self.group.replace('_', ' ')}" if row["person"] else "No user")
            group = found.setdefault(name, {"in_use": 0, "unlicensed": 0})
            group["in_use"] += 1
            group["unlicensed"] += row["id"] in unlicensed
        for group in found.values():
            share = None if price is None else str(money(Fraction(price) * group["in_use"], currency))
            group["cost_share"] = share
        return found

    def tier(self, models: dict[str, dict[str, Any]], words: tuple[str, ...]) -> dict[str, Any]:
        parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for key, one in models.items():
            parts[" | ".join(self.models[key][word] for word in words)].append(one)
        found = {}
        for name, rows in parts.items():
            out = [row for row in rows if row["status"] != "compliant"]
            status = "not_compliant" if out else "compliant"
            if len(words) == 2 and all(row["status"] == "not_entitled" for row in rows):
                status = "not_entitled"
            sums: dict[str, Any] = {"models": len(rows), "out_of_compliance": len(out), "status": status}
            sums["unlimited"] = any(row["owned"] == "unlimited" for row in rows)
            sums["owned"] = sum(row["owned"] for row in rows if row["owned"] != "unlimited")
            sums |= {word: sum(row[word] for row in rows) for word in ("in_use", "used", "needed")}
            sums["unlicensed"] = sum(len(row["unlicensed"]) for row in rows)
            sums["unpriced"] = sum(row["price"] is None for row in rows)
            for word in AMOUNTS:
                sums[word] = self.add({row["currency"]: row[word]} for row in rows if row[word] is not None)
            sums["annual_spend"] = self.add(row["annual_spend"] for row in rows)
            found[name] = sums
        return found

    @staticmethod
    def add(amounts: Any) -> dict[str, str]:
        sums: dict[str, Decimal] = {}
        for one in amounts:
            for code, amount in one.items():
                sums[code] = sums.get(code, Decimal(0)) + Decimal(amount)
        return {code: str(sums[code]) for code in sorted(sums)}

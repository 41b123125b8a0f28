"""What the pages of the license position must say of a random world, counted in plain Python over the rows of its case.

Nothing here asks the product: the figures come from `Recount`, and are written as a page writes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.subscriptions.reconciliation.recount import OPEN, Recount, Row, money

STATUSES = {"compliant": "Compliant", "not_compliant": "Not compliant", "not_entitled": "No entitlement"}
NOTHING, UNKNOWN = "–", "not known"
SO_FAR = "Its products are as far as was listed by then."
Metric = dict[str, Any]


def write_number(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def write_amounts(found: dict[str, str], unpriced: int = 0) -> str:
    if not found:
        return UNKNOWN if unpriced else NOTHING
    return " ".join(f"{code} {Decimal(found[code]):,}" for code in sorted(found))


def write_amount(amount: str | None, currency: str) -> str:
    return UNKNOWN if amount is None else f"{currency} {Decimal(amount):,}"


def write_price(price: str | None, currency: str) -> str:
    """With as many decimals as it needs, two at least."""
    if price is None:
        return UNKNOWN
    whole, _, decimals = price.partition(".")
    return f"{currency} {int(whole):,}.{decimals.rstrip('0').ljust(2, '0')}"


def plural(count: int, words: str) -> str:
    return f"{count:,} {words}{'' if count == 1 else 's'}"


class PageRecount:
    """The position of a case on a day, as its pages show it. `is_today` asks for the open candidates of now."""

    def __init__(self, case: dict[str, Any], on: date, *, is_today: bool) -> None:
        known = case if is_today else {**case, "tables": {**case["tables"], "candidates": []}}
        self.recount = Recount(known, on)
        self.found = self.recount.run()
        self.models: dict[str, Metric] = self.found["models"]
        self.is_today = is_today
        self.is_partial = not is_today and not self.is_all_listed()

    def is_all_listed(self) -> bool:
        """Whether every profile had listed its subscriptions by that day. Without one of them there is no total."""
        first: dict[str, date] = {}
        for row in self.recount.tables["subscriptions"]:
            since = date.fromisoformat(row["since"])
            first[row["profile"]] = min(first.get(row["profile"], since), since)
        ids = [row["id"] for row in self.recount.tables["profiles"]]
        return all(one in first and first[one] <= self.recount.on for one in ids)

    def is_open(self, one: dict[str, Any]) -> bool:
        """Whether it is compliant only as far as is known, and not because any number would be covered."""
        is_unlimited = one["owned"] == "unlimited" or bool(one.get("unlimited"))
        return self.is_partial and one["status"] == "compliant" and not is_unlimited

    def status_of(self, one: dict[str, Any]) -> str:
        return "Not known" if self.is_open(one) else STATUSES[one["status"]]

    def names_out(self) -> list[str]:
        """Those that are out of compliance by what is known."""
        return [name for name, sums in self.found["publishers"].items() if sums["status"] != "compliant"]

    # --- tiers -----------------------------------------------------------------------------------------------------
    def name_of(self, key: str) -> str:
        row = self.recount.models[key]
        return f"{row['product']} {row['edition']}"

    def of_publisher(self, publisher: str) -> dict[str, Metric]:
        words = self.recount.models
        return {key: one for key, one in self.models.items() if words[key]["publisher"] == publisher}

    def products_of(self, publisher: str) -> dict[str, dict[str, Any]]:
        start = f"{publisher} | "
        return {name.removeprefix(start): one for name, one in self.found["products"].items() if name.startswith(start)}

    def potential(self, models: Iterable[Metric]) -> str:
        """Of now: what open candidates come to. Of a day that is over: what its run has stored."""
        rows = list(models)
        if self.is_today:
            rows = [one for one in rows if one["open_candidates"]]
        sums = Recount.add({one["currency"]: one["potential_savings"]} for one in rows if one["price"] is not None)
        return write_amounts(sums, sum(one["price"] is None for one in rows) if self.is_today else 0)

    def publisher_rows(self) -> dict[str, list[str]]:
        """The list of publishers: name -> status, products, true-up, over-licensed, potential, spend, unpriced."""
        if self.is_partial:
            return {name: ["Not known", SO_FAR, "Pin"] for name in self.found["publishers"]}
        rows = {}
        for name, sums in self.found["publishers"].items():
            products = self.products_of(name).values()
            good = sum(one["status"] == "compliant" for one in products)
            rows[name] = [
                STATUSES[sums["status"]],
                f"{good} of {len(products)} ({100 * good // len(products)} %)",
                write_amounts(sums["true_up"], sums["unpriced"]),
                write_amounts(sums["over_licensed"], sums["unpriced"]),
                self.potential(self.of_publisher(name).values()),
                write_amounts(sums["annual_spend"]),
                write_number(sums["unpriced"]),
            ]
        return rows

    def totals(self, publishers: Iterable[str]) -> list[str]:
        """The tiles above some publishers: label, figure and note of each."""
        if self.is_partial:
            return []
        names = list(publishers)
        sums = [self.found["publishers"][name] for name in names]
        products = [one for name in names for one in self.products_of(name).values()]
        models = [one for name in names for one in self.of_publisher(name).values()]
        unpriced, out, needed = (sum(one[word] for one in sums) for word in ("unpriced", "out_of_compliance", "needed"))
        good = sum(one["status"] == "compliant" for one in products)
        amounts = {
            word: Recount.add(one[word] for one in sums) for word in ("true_up", "over_licensed", "annual_spend")
        }
        opened = sum(one["open_candidates"] for one in models)
        potential = self.potential(models)
        potential = "0" if potential == NOTHING else potential
        for_what = f"for {plural(opened, 'open removal candidate')}" if self.is_today else "as of then"
        return [
            f"Compliant products {good} of {len(products)} {plural(out, 'software model')} out of compliance",
            f"True-up {write_amounts(amounts['true_up'], unpriced)} a year, for {plural(needed, 'missing right')}",
            f"Over-licensed {write_amounts(amounts['over_licensed'], unpriced)} a year, for rights that are left",
            f"Potential savings {potential} a year, {for_what}",
            f"Spend {write_amounts(amounts['annual_spend'])} a year, for what is in force",
        ]

    def product_rows(self, publisher: str) -> dict[str, list[str]]:
        """The products of a publisher: name -> status, owned, used, needed, true-up, over-licensed, spend."""
        return {name: self._product(one, with_use=False) for name, one in self.products_of(publisher).items()}

    def _product(self, one: dict[str, Any], *, with_use: bool) -> list[str]:
        owned = write_number(one["owned"])
        if one["unlimited"]:
            owned = f"{owned} + unlimited" if one["owned"] else "Unlimited"
        used = [write_number(one["in_use"])] if with_use else []
        return [
            self.status_of(one),
            owned,
            *used,
            write_number(one["used"]),
            write_number(one["needed"]),
            write_amounts(one["true_up"], one["unpriced"]),
            UNKNOWN if self.is_open(one) else write_amounts(one["over_licensed"], one["unpriced"]),
            write_amounts(one["annual_spend"]),
        ]

    def found_rows(self) -> dict[str, list[str]]:
        """The products on the page of a reconciliation: status, owned, in use, used, needed, not covered, true-up."""
        rows = {}
        for name, one in self.found["products"].items():
            publisher, product = name.split(" | ")
            cells = self._product(one, with_use=True)
            rows[f"{product} {publisher}"] = [*cells[:5], write_number(one["unlicensed"]), cells[5]]
        return rows

    def model_rows(self, publisher: str, product: str) -> dict[str, list[str]]:
        """The software models of a product, and its own row *Sum*."""
        keys = [key for key in self.of_publisher(publisher) if self.recount.models[key]["product"] == product]
        rows = {f"{publisher} {self.name_of(key)}": self._model(self.models[key]) for key in keys}
        return {**rows, "Sum": self._product(self.products_of(publisher)[product], with_use=True)}

    def _model(self, one: Metric) -> list[str]:
        unknown = "entitlement_without_price" in one["flags"]
        return [
            self.status_of(one),
            "Unlimited" if one["owned"] == "unlimited" else write_number(one["owned"]),
            *(write_number(one[word]) for word in ("in_use", "used", "needed")),
            write_amount(one["true_up"], one["currency"]),
            UNKNOWN if self.is_open(one) else write_amount(one["over_licensed"], one["currency"]),
            write_amounts(one["annual_spend"], int(unknown)),
        ]

    def metric_row(self, key: str) -> list[str]:
        """The row of the license metric on the page of its software model."""
        one = self.models[key]
        cells = self._model(one)
        return [*cells[:2], *cells[3:5], write_price(one["price"], one["currency"]), *cells[5:7]]

    # --- the license metric ----------------------------------------------------------------------------------------
    def equations(self, key: str) -> dict[str, str]:
        """The figures of a license metric as they stand on its page: key -> the sentence without its note."""
        one = self.models[key]
        is_unlimited = one["owned"] == "unlimited"
        by_right = one["in_use"] - one["allocated_in_use"] - len(one["unlicensed"])
        price = write_price(one["price"], one["currency"])
        spare = 0 if is_unlimited else max(0, one["available"])
        reserved, over = one["allocated_not_in_use"], write_amount(one["over_licensed"], one["currency"])
        candidates = plural(one["open_candidates"], "open removal candidate")
        true_up, potential = (write_amount(one[word], one["currency"]) for word in ("true_up", "potential_savings"))
        found = {
            "in-use": f"{one['in_use']} in use = {one['allocated_in_use']} covered by an allocation + {by_right} "
            f"covered by a right + {len(one['unlicensed'])} not covered",
            "used": f"{one['used']} used = {one['in_use']} in use + {reserved} allocated, not in use",
            "true-up": f"{true_up} a year = {one['needed']} needed × {price} a right",
            "potential-savings": f"{potential} a year = {candidates} × {price} a right",
        }
        if is_unlimited:
            return {**found, "available": "unlimited available", "needed": "0 needed"}
        return {
            **found,
            "available": f"{one['available']} available = {one['owned']} owned − {one['used']} used".replace("-", "−"),
            "needed": f"{one['needed']} needed = {one['used']} used − {one['owned']} owned",
            "over-licensed": f"{over} a year = {spare} left × {price} a right",
        }

    def cover(self, key: str) -> list[tuple[Row, str, int]]:
        """The subscriptions that count for a software model: row, what covers it, and its place in line."""
        seats = [row for row in self.recount.listed() if row["kind"] == "" and row["model"] == key]
        seats.sort(key=lambda row: (not row["person"], row["assigned_on"] or "9999", row["place"]))
        left = self._allocated(key)
        one, found, place, by_allocation = self.models[key], [], 0, 0
        free = len(seats) if one["owned"] == "unlimited" else max(0, one["owned"] - one["allocated"])
        for row in seats:
            if left.get(row["person"], 0) > 0:
                left[row["person"]] -= 1
                by_allocation += 1
                found.append((row, "Allocation", by_allocation))
            else:
                place += 1
                found.append((row, "Right" if place <= free else "Not covered", place))
        return found

    def _allocated(self, key: str) -> dict[str, int]:
        recount, on = self.recount, self.recount.on
        rights = {one["id"] for one in recount.entitlements if one["model"] == key and recount.in_force(one, on)}
        left: dict[str, int] = defaultdict(int)
        for row in recount.tables["allocations"]:
            is_open = date.fromisoformat(row["assigned_on"]) <= on
            is_open = is_open and (not row["released_on"] or on < date.fromisoformat(row["released_on"]))
            if row["entitlement"] in rights and is_open:
                left[row["person"]] += int(row["quantity"])
        return left

    def why(self, key: str, row: Row, covered: str, place: int) -> str:
        """The sentence beside a subscription. That of an allocation goes on with the number of an entitlement."""
        one = self.models[key]
        if covered == "Allocation":
            return f"Covered by an allocation for Person {row['person']}"
        if one["owned"] == "unlimited":
            return "Covered: the rights are unlimited"
        free = max(0, one["owned"] - one["allocated"])
        if covered == "Right":
            return f"Right no. {place:,} of {free:,}"
        return f"None left: no. {place:,} in line for {plural(free, 'right')}"

    # --- the reconciliation ----------------------------------------------------------------------------------------
    def listed_sentence(self) -> str:
        aside = self.found["aside"]
        labels = {
            "excluded": "excluded",
            "no_license": "without a license",
            "duplicate": "listed twice",
            "unrecognized": "unrecognized",
            "not_managed": "not managed",
        }
        terms = [f"{self.found['counted']} counted", *(f"{aside[kind]} {label}" for kind, label in labels.items())]
        return f"{self.found['listed']} listed = {' + '.join(terms)}"

    def input_rows(self) -> dict[str, list[str]]:
        """The profiles a reconciliation rests on: counted and aside of each."""
        seats = self.recount.listed()
        rows = {}
        for profile in self.recount.tables["profiles"]:
            kinds = [row["kind"] for row in seats if row["profile"] == profile["id"]]
            rows[profile["id"]] = [write_number(kinds.count("")), write_number(len(kinds) - kinds.count(""))]
        return rows

    # --- money of many subscriptions -------------------------------------------------------------------------------
    def cost_of(self, seats: Iterable[str]) -> str:
        """What subscriptions cost a year, by the software models they are of; rounded for each software model."""
        counts: dict[str, int] = defaultdict(int)
        for model in seats:
            counts[model] += 1
        sums: dict[str, Decimal] = defaultdict(Decimal)
        unknown = 0
        for model, count in counts.items():
            one = self.models.get(model)
            if one is None or one["price"] is None:
                unknown += count
            else:
                sums[one["currency"]] += money(Fraction(Decimal(one["price"])) * count, one["currency"])
        return write_money(sums, unknown)

    def open_candidates(self) -> list[str]:
        """The software model of each open candidate, as its subscription has it now."""
        last = {
            row["id"]: row["model"]
            for row in sorted(self.recount.tables["subscriptions"], key=lambda row: row["since"])
        }
        return [last[row["subscription"]] for row in self.recount.tables["candidates"] if row["state"] in OPEN]


def write_money(sums: dict[str, Decimal], unknown: int) -> str:
    """Amounts by currency as home writes them: those of 0 give way to others, and what is not known is said."""
    shown = {code: amount for code, amount in sums.items() if amount} or sums
    lines = [f"{code} {shown[code]:,}" for code in sorted(shown)]
    if unknown:
        lines.append(f"{unknown:,} without a price" if shown else "cost not known")
    return " ".join(lines)

"""What home must say of a random world, counted in plain Python over the rows of its case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.subscriptions.reconciliation.recount import Recount, Row
from tests.subscriptions.usage.page_recount import PageRecount, write_money, write_number

BANDS = (("Today", 0), ("1 to 7 days ago", 7), ("8 to 30 days ago", 30), ("31 to 60 days ago", 60))
BANDS += (("61 to 90 days ago", 90), ("More than 90 days ago", 10**6))


class HomeRecount(PageRecount):
    """`used` has the last day of use of what was used, `read_since` is the day from which all logs were read."""

    def __init__(self, case: dict[str, Any], on: date, used: dict[str, date], read_since: date) -> None:
        super().__init__(case, on, is_today=True)
        self.used, self.read_since, self.case = used, read_since, case
        self.listed = self.recount.listed()
        self.current = [row for row in self.listed if row["excluded"] != "1"]
        self.in_use = [row for row in self.current if row["consumes"] == "1"]

    # --- what you pay for ------------------------------------------------------------------------------------------
    def tiles(self) -> dict[str, str]:
        if not (self.models and any(one["state"] != "build" for one in self.recount.entitlements)):
            cost = self.cost_of(row["model"] for row in self.in_use)
            return {
                "Licenses you pay for": "– per vendor; no entitlement counts yet",
                "In use": f"{len(self.in_use)} {cost} counted here".replace("  ", " "),
                "Licenses not used": "– the difference",
            }
        rows = list(self.models.values())
        limited = [one for one in rows if one["owned"] != "unlimited"]
        owned = self.rights_owned()
        is_unlimited = len(limited) < len(rows)
        spend = Recount.add(one["annual_spend"] for one in rows)
        unused = sum(max(0, one["available"]) for one in limited)
        missing = sum(one["needed"] for one in rows)
        counted = [row["model"] for row in self.listed if row["kind"] == ""]
        texts = {
            "Rights you pay for": [
                write_number(owned) if owned or not is_unlimited else "Unlimited",
                write_money({code: Decimal(text) for code, text in spend.items()}, 0 if spend else owned),
                "and unlimited ones" if is_unlimited and owned else "",
            ],
            "In use": [write_number(len(counted)), self.cost_of(counted)],
            "Rights not used": [write_number(unused), self.sum_of(limited, "over_licensed", "available")],
            "Rights missing": [write_number(missing), self.sum_of(rows, "true_up", "needed")],
        }
        return {label: " ".join(filter(None, parts)) for label, parts in texts.items()}

    def rights_owned(self) -> int:
        """The rights of the limited entitlements in force, also of models that an unlimited one covers."""
        return sum(
            int(one["purchased_rights"] or 0)
            for one in self.recount.entitlements
            if one["model"] in self.models and one["unlimited"] != "1" and self.recount.in_force(one, self.recount.on)
        )

    @staticmethod
    def sum_of(rows: list[dict[str, Any]], amount: str, number: str) -> str:
        known = Recount.add({one["currency"]: one[amount]} for one in rows if one[amount] is not None)
        unknown = sum(max(0, one[number]) for one in rows if one[amount] is None)
        return write_money({code: Decimal(text) for code, text in known.items()}, unknown)

    def equation(self) -> str:
        limited = [one for one in self.models.values() if one["owned"] != "unlimited"]
        owned, missing, used, reserved = (
            sum(one[word] for one in limited) for word in ("owned", "needed", "in_use", "allocated_not_in_use")
        )
        left = sum(max(0, one["available"]) for one in limited)
        assert owned + missing == used + reserved + left
        text = (
            f"{owned} owned + {missing} missing = {used} in use + {reserved} reserved for people who do not use them + "
            f"{left} not used"
        )
        aside = sum(one["in_use"] for one in self.models.values() if one["owned"] == "unlimited")
        more = f", and {aside} in use under an unlimited license." if len(limited) < len(self.models) else "."
        return text + more

    # --- what is perhaps not needed --------------------------------------------------------------------------------
    def unneeded(self) -> dict[str, list[str]]:
        kinds = {
            "User has left the company": [row for row in self.in_use if self.recount.has_left(row["person"])],
            "Idle for 60 days or more": [row for row in self.in_use if self.is_idle(row)],
            "Never active": [row for row in self.in_use if row["id"] not in self.used],
            "Without user": [row for row in self.in_use if not row["person"]],
        }
        rows = {
            label: [write_number(len(found)), "–" if label == "Without user" else "0", self.cost(found)]
            for label, found in kinds.items()
        }
        proposed = self.open_candidates()
        if proposed:
            rows["Proposed by hand"] = ["–", write_number(len(proposed)), self.cost_of(proposed)]
        rows["Proposed for removal"] = ["", write_number(len(proposed)), self.cost_of(proposed)]
        return rows

    def cost(self, rows: list[Row]) -> str:
        return self.cost_of(row["model"] for row in rows)

    def is_idle(self, row: Row) -> bool:
        """Used once, and since then surely not for sixty days."""
        if row["id"] not in self.used:
            return False
        assigned = date.fromisoformat(row["assigned_on"]) if row["assigned_on"] else self.read_since
        unused_since = max(self.read_since, self.used[row["id"]], assigned)
        return (self.recount.on - unused_since).days >= 60

    def bands(self) -> dict[str, str]:
        """Current subscriptions by last activity."""
        found = dict.fromkeys([*(label for label, _ in BANDS), "Never active", "Not covered"], 0)
        for row in self.current:
            if row["id"] not in self.used:
                found["Never active"] += 1
                continue
            days = (self.recount.on - self.used[row["id"]]).days
            found[next(label for label, last in BANDS if days <= last)] += 1
        return {label: write_number(number) for label, number in found.items()}

    # --- profiles, needs, charts -----------------------------------------------------------------------------------
    def profiles(self) -> dict[str, list[str]]:
        return {
            profile["id"]: [
                write_number(sum(row["profile"] == profile["id"] for row in rows))
                for rows in (self.current, self.in_use)
            ]
            for profile in self.recount.tables["profiles"]
        }

    def publishers_out(self) -> int:
        return len(self.names_out())

    def use_by_day(self) -> dict[str, list[str]]:
        """The chart of a year: subscriptions in use and rights owned, of what is under no unlimited license today."""
        limited = {key for key, one in self.models.items() if one["owned"] != "unlimited"}
        days = [day for day in self._days() if self._is_counted(day)]
        if not (limited and days):
            return {}
        span = (self.recount.on - days[0]).days
        step = 1 if span <= 62 else 7
        shown = [days[0] + timedelta(days=place) for place in range(span % step, span, step)]
        counted = set(days)
        return {f"{day:%-d %b %Y}": self._use_on(day, limited) for day in shown if day in counted}

    def _days(self) -> Iterator[date]:
        first = min((date.fromisoformat(row["since"]) for row in self.recount.tables["subscriptions"]), default=None)
        day = first or self.recount.on
        while day < self.recount.on:
            yield day
            day += timedelta(days=1)

    def _is_counted(self, day: date) -> bool:
        """Whether any subscription used a license at the end of that day."""
        kinds = {row["kind"] for row in Recount(self.case, day).listed()}
        return bool(kinds & {"", "unrecognized", "not_managed"})

    def _use_on(self, day: date, models: set[str]) -> list[str]:
        then = Recount(self.case, day)
        in_use = sum(row["kind"] == "" and row["model"] in models for row in then.listed())
        rights = [one for one in then.entitlements if one["model"] in models and then.in_force(one, day)]
        if any(one["unlimited"] == "1" for one in rights):
            return [write_number(in_use), "not known"]
        return [write_number(in_use), write_number(sum(int(one["purchased_rights"] or 0) for one in rights))]


def freed_and_saved(lines: list[list[Any]], today: date) -> dict[str, list[str]]:
    """The chart of the ledger: how much was freed and saved in each of the last twelve months."""
    last = today.year * 12 + today.month - 1
    months = [date(number // 12, number % 12 + 1, 1) for number in range(last - 11, last + 1)]
    counts: dict[date, list[int]] = {month: [0, 0] for month in months}
    for on, kind, *_ in lines:
        if on.replace(day=1) in counts and kind in ("freed", "saved"):
            counts[on.replace(day=1)][kind == "saved"] += 1
    if not any(map(any, counts.values())):
        return {}
    return {f"{month:%b %Y}": [write_number(number) for number in pair] for month, pair in counts.items()}

"""Random worlds in the form of the worked cases: seats with histories, shared teams, rights of every kind."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

FIRST, LAST = date(2026, 1, 10), date(2026, 6, 30)
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
STATES = ("ready", "awaiting_user", "closed_skipped", "attention_required", "closed_complete")
HEADERS = {
    "models": "id,publisher,product,edition,under_management,cost_override,currency",
    "entitlements": "id,model,state,purchased_rights,unlimited,start,end,retired_on,period,unit_cost,total_cost,"
    "currency,renews,notice_days,minimum_rights",
    "profiles": "id,vendor,team_id,licenses_reported,used_reported",
    "subscriptions": "id,profile,external_id,model,status,consumes,excluded,person,assigned_on,since,until,place",
    "people": "id,department,cost_center,country,left_on",
    "allocations": "entitlement,person,quantity,assigned_on,released_on",
    "candidates": "subscription,state",
    "removals": "id,model,removed_on,restored_on,returned_on",
}


def make_case(seed: int) -> dict[str, Any]:
    dice = Random(seed)
    tables: dict[str, list[list[Any]]] = {name: [] for name in HEADERS}
    people = [f"u{number}" for number in range(12)]
    models = _models(dice, tables)
    _people(dice, tables, people)
    _seats(dice, tables, models, people)
    _entitlements(dice, tables, models)
    _allocations(dice, tables, people)
    _removals(Random(seed + 1000), tables, models)
    _terms(Random(seed + 2000), tables)
    return {
        "case": f"random-{seed}",
        "question": {"date": LAST.isoformat(), "group": dice.choice(["none", "department", "country"])},
        "tables": {
            name: [HEADERS[name], *(",".join("" if value is None else str(value) for value in row) for row in rows)]
            for name, rows in tables.items()
        },
    }


def some_day(dice: Random, first: date = FIRST, last: date = LAST) -> date:
    return first + timedelta(days=dice.randrange((last - first).days + 1))


def _models(dice: Random, tables: dict[str, list[list[Any]]]) -> list[str]:
    for number in range(5):
        override = dice.choice([None, None, 0, "120.5"])
        words = [dice.choice(["Acme", "Dropbox"]), dice.choice(["Mail", "Files"]), f"Edition {number}"]
        managed = int(dice.random() < 0.85)
        tables["models"].append([f"m{number}", *words, managed, override, "USD" if override is not None else ""])
    for number, team in enumerate(["dbtid:A", "dbtid:A", "dbtid:B", ""]):
        tables["profiles"].append([f"p{number}", "dropbox", team, None, None])
    return [f"m{number}" for number in range(5)]


def _people(dice: Random, tables: dict[str, list[list[Any]]], people: list[str]) -> None:
    for name in people:
        left = some_day(dice) if dice.random() < 0.2 else None
        tables["people"].append([name, dice.choice(["Sales", "Legal", ""]), "", dice.choice(["DE", ""]), left])


def _seats(dice: Random, tables: dict[str, list[list[Any]]], models: list[str], people: list[str]) -> None:
    used: set[tuple[str, str]] = set()
    for number in range(dice.randrange(60)):
        profile, account = f"p{dice.randrange(4)}", f"x{dice.randrange(40)}"
        if (profile, account) in used:
            continue
        used.add((profile, account))
        name, since = f"s{number:03}", some_day(dice, FIRST, FIRST + timedelta(days=40))
        assigned = some_day(dice) if dice.random() < 0.8 else None
        while since <= LAST:
            until = since + timedelta(days=dice.randrange(1, 200)) if dice.random() < 0.6 else None
            facts = [dice.choice([*models, ""]), "active", int(dice.random() < 0.9), int(dice.random() < 0.1)]
            person = dice.choice(people) if dice.random() < 0.8 else ""
            until = until if until and until <= LAST else None
            tables["subscriptions"].append(
                [name, profile, account, *facts, person, assigned, since, until, f"{number:03}"]
            )
            if until is None:
                break
            since = until + timedelta(days=dice.choice([0, 0, 5]))
        if dice.random() < 0.3:
            tables["candidates"].append([name, dice.choice(STATES)])


def _entitlements(dice: Random, tables: dict[str, list[list[Any]]], models: list[str]) -> None:
    earlier: list[list[Any]] = []
    renewed: set[str] = set()
    for number in range(dice.randrange(12)):
        unlimited = dice.random() < 0.1
        rights = 0 if unlimited else dice.randrange(12)
        start = some_day(dice, date(2025, 6, 1), LAST)
        period = dice.choice(["monthly", "quarterly", "annually", "entire"])
        end = some_day(dice, start, start + timedelta(days=500)) if period == "entire" or dice.random() < 0.6 else None
        state = dice.choice(["in_use", "in_use", "in_use", "retired", "build"])
        retired = (
            some_day(dice, start - timedelta(days=20), start + timedelta(days=300)) if state == "retired" else None
        )
        cost = dice.choice([[None, None], ["12.345", None], [None, "999.99"], [0, None]])
        currency = dice.choice(CURRENCIES) if cost != [None, None] else ""
        model = dice.choice(models)
        fitting = [one for one in earlier if one[1] == model and one[5] < start and one[0] not in renewed]
        renews = dice.choice(fitting)[0] if fitting and dice.random() < 0.5 else None
        renewed.add(renews or "")
        row = [
            f"e{number}",
            model,
            state,
            rights,
            int(unlimited),
            start,
            end,
            retired,
            period,
            *cost,
            currency,
            renews,
            30,
            0,
        ]
        earlier.append(row)
        tables["entitlements"].append(row)


def _allocations(dice: Random, tables: dict[str, list[list[Any]]], people: list[str]) -> None:
    """Never more at a time than the entitlement has rights."""
    for row in tables["entitlements"]:
        left = row[3]
        for person in dice.sample(people, 4):
            quantity = dice.choice([1, 1, 2])
            if quantity <= left and dice.random() < 0.6:
                left -= quantity
                released = some_day(dice) if dice.random() < 0.3 else None
                assigned = some_day(dice, date(2025, 12, 1), released or LAST)
                tables["allocations"].append([row[0], person, quantity, assigned, released])


def _removals(dice: Random, tables: dict[str, list[list[Any]]], models: list[str]) -> None:
    """Removals from long before the first day until the last, some of which go back."""
    for number in range(dice.randrange(25)):
        removed = some_day(dice, date(2025, 5, 1), LAST)
        later = [some_day(dice, removed, removed + timedelta(days=200)) for _ in range(2)]
        restored = later[0] if dice.random() < 0.2 and later[0] <= removed + timedelta(days=7) else None
        returned = later[1] if restored is None and dice.random() < 0.3 and later[1] <= LAST else None
        if dice.random() < 0.15:
            restored, returned = removed + timedelta(days=dice.randrange(8)), None
        model = dice.choice(models[:3])
        tables["removals"].append([f"r{number:02}", model, removed, restored, returned])


def _terms(dice: Random, tables: dict[str, list[list[Any]]]) -> None:
    """Notice periods and commitments, and renewals of what ends, which often begin with fewer rights."""
    for row in tables["entitlements"]:
        row[13] = dice.choice([0, 14, 30, 30, 60, 120])
        row[14] = dice.randrange(row[3] + 1) if dice.random() < 0.3 else 0
    renewed = {row[12] for row in tables["entitlements"]}
    for row in list(tables["entitlements"]):
        if row[0] in renewed or row[2] != "in_use" or dice.random() < 0.5:
            continue
        start = some_day(dice, row[5] + timedelta(days=1), max(LAST, row[5] + timedelta(days=2)))
        end = start + timedelta(days=dice.randrange(30, 400))
        rights = 0 if row[4] else dice.randrange(row[3] + 2)
        fields = [*row[8:12], row[0], row[13], min(rights, row[14])]
        tables["entitlements"].append(
            [f"e{len(tables['entitlements'])}", row[1], "in_use", rights, row[4], start, end, None, *fields]
        )

"""Random worlds: what the pages of renewals, savings and vendor drift say is what plain Python counts over the rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from profiles.models import IntegrationProfile
from subscriptions.models import ReconciliationRun
from tests import pages
from tests.subscriptions.reconciliation import position_world as worlds, random_case, recount_renewals, savings_world
from tests.subscriptions.reconciliation.recount import Recount
from tests.subscriptions.reconciliation.recount_ledger import LedgerRecount
from tests.subscriptions.reconciliation.recount_renewals import Renewals

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
NOON = timedelta(hours=12)
TODAY = random_case.LAST
LONG_AFTER = TODAY + timedelta(days=330)  # some of what was freed has lapsed by then


@pytest.fixture
def reader(signed_in: Any) -> Any:
    with time_machine.travel(worlds.moment(TODAY) + NOON, tick=False):
        yield signed_in("sam_user")


@pytest.mark.parametrize("seed", range(12))
def test_renewals_are_what_a_recount_says(seed: int, reader: Any) -> None:
    case = random_case.make_case(seed)
    world = worlds.make_world(case)
    run = worlds.reconcile_as_of(None, now=worlds.moment(TODAY) + NOON)
    for headroom, days in ((5, 90), (0, 30), (17, 180)):
        told = worlds.describe_renewals(world, run, TODAY, {"headroom": headroom, "days": days})
        expected = Renewals(Recount(case, TODAY), headroom=headroom, horizon=days).run()
        assert told == expected
    check_page(world, reader, Renewals(Recount(case, TODAY), headroom=5, horizon=366 + 120).run())


def check_page(world: worlds.World, reader: Any, expected: list[dict[str, Any]]) -> None:
    """The page of a year lists those, and what the vendor must be told of within it, with the same numbers."""
    last = (TODAY + timedelta(days=366)).isoformat()
    near = [one for one in expected if one["renewal"] <= next_day(last) or one["reduce_by"] <= last]
    first = (TODAY - timedelta(days=366)).isoformat()
    near = [one for one in near if first < one["renewal"]]
    rows = pages.rows(reader.get("/renewals/?horizon=366&per_page=100").content.decode(), "Entitlement") if near else {}
    shown = {name.split(" ")[0]: cells[4:7] for name, cells in rows.items() if not name.startswith("Sum")}
    assert shown == {world.entitlements[one["entitlement"]].number: recount_renewals.as_page(one) for one in near}


def next_day(text: str) -> str:
    return (date.fromisoformat(text) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("until", [TODAY, LONG_AFTER], ids=["today", "later"])
def test_savings_are_what_a_recount_says(seed: int, until: date, signed_in: Any) -> None:
    case = random_case.make_case(seed)
    world = worlds.make_world(case)
    candidates = savings_world.play_removals(world, case, until)
    told = savings_world.describe_savings(candidates, until)
    expected = LedgerRecount(case, until).run()
    lines = expected.pop("lines")
    ledger = [[date.fromisoformat(line[0]), *line[2:]] for line in told.pop("ledger")]
    assert sorted(map(str, ledger)) == sorted(map(str, lines))
    otherwise = {world.name_of("entitlements", key): number for key, number in told["unattributed_reduction"].items()}
    assert {**told, "unattributed_reduction": otherwise} == expected
    assert told["freed"] - told["offset"] == told["saved"] + told["pending"] + told["lapsed"]
    with time_machine.travel(worlds.moment(until) + NOON, tick=False):
        check_savings_page(signed_in("sam_user"), expected)


def check_savings_page(reader: Any, expected: dict[str, Any]) -> None:
    page = reader.get("/savings/").content.decode()
    if not expected["freed"]:
        assert "Nothing was freed so far" in page
        return
    numbers = {"gone_back": "offset", "freed": "freed", "saved": "saved", "pending": "pending", "lapsed": "lapsed"}
    for lines, name in numbers.items():
        address = f"/savings/entries/?lines={lines}"
        behind = pages.rows(reader.get(address).content.decode(), "Day") if expected[name] else {}
        words = {"gone_back": "gone back"}.get(lines, lines)
        assert f"{expected[name]} {words}" in pages.text_of(page.split('class="equation"')[1])
        if behind:
            total = int(behind["Sum of all rows"][2].replace(",", ""))
            assert total == (-expected[name] if lines == "gone_back" else expected[name]), lines
    for by in ("model", "month", "rule", "profile", "department"):
        found = pages.rows(reader.get(f"/savings/?by={by}").content.decode().split('id="by"')[1], BY[by])
        sums = [cell.split(" ")[0] for cell in found.pop("Sum")]
        assert sums == [str(expected[name]) for name in ("freed", "offset", "saved", "pending", "lapsed")]
        for place, total in enumerate(sums):
            assert sum(int(cells[place].split(" ")[0].replace(",", "")) for cells in found.values()) == int(total), by


BY = {
    "model": "Software model",
    "month": "Month",
    "rule": "Rule",
    "profile": "Subscription profile",
    "department": "Department",
}


@pytest.mark.parametrize("seed", range(12))
def test_vendor_drift_is_what_a_recount_says(seed: int, reader: Any) -> None:
    case = random_case.make_case(seed)
    world = worlds.make_world(case)
    for number, profile in enumerate(world.profiles.values()):
        reported = [None, 5, 0, 12][(seed + number) % 4]
        used = [3, None, 7, 0][(seed + number) % 4]
        IntegrationProfile.objects.filter(pk=profile.pk).update(licenses_reported=reported, seats_used_reported=used)
    run = worlds.reconcile_as_of(None, now=worlds.moment(TODAY) + NOON)
    recount = Recount(case, TODAY)
    expected = {}
    for name, profile in world.profiles.items():
        profile.refresh_from_db()
        here = sum(row["profile"] == name and row["consumes"] == "1" for row in recount.listed())
        there = profile.seats_used_reported
        expected[profile.display_name] = [here, there, None if there is None else here - there]
    rows = pages.rows(reader.get("/vendor-drift/").content.decode(), "Profile")
    assert {name: cells[1:4] for name, cells in rows.items()} == {
        name: [shown(here), shown(there), signed(drift)] for name, (here, there, drift) in expected.items()
    }
    check_rights(run, recount, world)


def check_rights(run: ReconciliationRun, recount: Recount, world: worlds.World) -> None:
    """One vendor has all the profiles of these worlds."""
    counted = {row["model"] for row in recount.listed() if row["kind"] == ""}
    found = recount.run()["models"]
    owned = [found[key]["owned"] for key in counted]
    if not counted:
        assert run.figures["vendors"] == []
        return
    teams: dict[str, int | None] = {}
    for profile in world.profiles.values():
        profile.refresh_from_db()
        team = profile.team_id or str(profile.pk)
        if teams.get(team) is None:
            teams[team] = profile.licenses_reported
    here = None if "unlimited" in owned else sum(owned)
    there = None if None in teams.values() else sum(number or 0 for number in teams.values())
    told = run.figures["vendors"][0]
    drift = None if here is None or there is None else here - there
    assert [told["owned"], told["reported"], told["drift"]] == [here, there, drift]
    assert told["owned"] is None or told["owned"] == sum(part["owned"] for part in told["models"])


def shown(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def signed(number: int | None) -> str:
    if number is None:
        return "–"
    return f"{'+' if number > 0 else '−' if number < 0 else ''}{abs(number):,}"

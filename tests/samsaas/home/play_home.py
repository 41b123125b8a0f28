"""Make a random world with use and candidates, count and reconcile it, and compare home with its recount."""

from __future__ import annotations

import re
from datetime import date, timedelta
from random import Random
from typing import Any

import time_machine

from subscriptions.models import SubscriptionIdentifier
from subscriptions.reconciliation import use_by_day
from tests import factories, pages, worlds as ways
from tests.samsaas.home.home_recount import HomeRecount, freed_and_saved
from tests.subscriptions.reconciliation import position_world as worlds, random_case, savings_world
from tests.subscriptions.reconciliation.recount_ledger import LedgerRecount

TODAY = random_case.LAST
NOW = worlds.moment(TODAY) + timedelta(hours=12)
READ_SINCE = random_case.FIRST - timedelta(days=60)


def check_home(seed: int, reader: Any) -> None:
    """Every tile, the equation, both tables, the bands, the profiles, what needs a person, and the chart of use."""
    with time_machine.travel(NOW, tick=False):
        case = random_case.make_case(seed)
        world = worlds.make_world(case)
        expected = HomeRecount(case, TODAY, use_seats(world, seed), READ_SINCE)
        run = worlds.reconcile_as_of(None, now=NOW)
        for _ in range(12):  # a part of the year each
            use_by_day.store_missing(now=NOW)
        ways.count_seats()
        reader.force_login(reader.user)
        page = str(reader.get("/").content.decode())
        compare_figures(page, expected)
        compare_tables(page, expected, world)
        compare_needs(page, expected, run)
        for url, number in pages.figures(page).items():
            if url.startswith(("/subscriptions/", "/removal-candidates/", "/subscriptions-without-user/")):
                assert pages.rows_behind(reader, url) == number, url


def use_seats(world: worlds.World, seed: int) -> dict[str, date]:
    """All logs were read, and some subscriptions were used. Gives the last day of their use."""
    dice, used = Random(seed + 3000), {}
    for profile in world.profiles.values():
        factories.coverage(profile, worlds.moment(READ_SINCE), NOW)
    for name, seat in world.seats.items():
        if dice.random() < 0.6:
            used[name] = random_case.some_day(dice)
            factories.activity(seat, worlds.moment(used[name]) + timedelta(hours=9))
    return used


def compare_figures(page: str, expected: HomeRecount) -> None:
    shown = {}
    for inside in re.findall(r'<a class="tile[^>]*>(.*?)</a>', page, flags=re.DOTALL):
        label = pages.text_of(re.findall(r'class="label">(.*?)</span>', inside)[0])
        shown[label] = pages.text_of(inside).removeprefix(label).strip()
    assert shown == expected.tiles()
    if expected.models:
        assert expected.equation() in pages.text_of(page)


def compare_tables(page: str, expected: HomeRecount, world: worlds.World) -> None:
    assert pages.rows(page, "Subscriptions in use") == expected.unneeded()
    assert {label: cells[-1] for label, cells in pages.rows(page, "Last activity").items()} == expected.bands()
    profiles = {world.profiles[key].display_name: cells for key, cells in expected.profiles().items()}
    assert {name: cells[2:4] for name, cells in pages.rows(page, "Profile").items()} == profiles
    chart = expected.use_by_day()
    assert ("The same as a table" in page) == bool(chart)
    assert (pages.rows(page, "Day") if chart else {}) == chart


def compare_needs(page: str, expected: HomeRecount, run: Any) -> None:
    text = pages.text_of(page)
    out, unknown = expected.publishers_out(), SubscriptionIdentifier.objects.filter(software_model=None).count()
    assert need(text, "Publisher") == out
    assert need(text, "Subscription identifier") == unknown
    assert need(text, "Difference") == 0, "no vendor said anything"


def need(text: str, label: str) -> int:
    """The number before a line of what waits for a person; 0 where there is no such line."""
    found = re.search(rf"([\d,]+) {label}s? (?:of|between)", text)
    return int(found[1].replace(",", "")) if found else 0


def check_savings_chart(seed: int, reader: Any) -> None:
    """What was freed and saved by month."""
    case = random_case.make_case(seed)
    world = worlds.make_world(case)
    savings_world.play_removals(world, case, TODAY)
    expected = freed_and_saved(LedgerRecount(case, TODAY).run()["lines"], TODAY)
    with time_machine.travel(NOW, tick=False):
        reader.force_login(reader.user)
        page = str(reader.get("/").content.decode())
    assert (pages.rows(page, "Month") if expected else {}) == expected

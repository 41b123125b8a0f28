"""Make a random world, reconcile it, and open its pages: of today, and of days that are over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import time_machine

from tests.subscriptions.reconciliation import position_world as worlds, random_case
from tests.subscriptions.usage.check_pages import PagesOfPosition
from tests.subscriptions.usage.page_recount import PageRecount

TODAY = random_case.LAST
NOW = worlds.moment(TODAY) + timedelta(hours=12)
PAST_DAYS = (date(2026, 2, 1), date(2026, 4, 17))


def check_today(seed: int, reader: Any) -> int:
    """The pages of what stands today. Returns how many were opened."""
    with time_machine.travel(NOW, tick=False):
        case = random_case.make_case(seed)
        world = worlds.make_world(case)
        run = worlds.reconcile_as_of(None, now=NOW, group=case["question"]["group"])
        reader.force_login(reader.user)
        return PagesOfPosition(reader, world, PageRecount(case, TODAY, is_today=True), run).check()


def check_past(seed: int, reader: Any) -> int:
    """The pages of runs about days that are over. What stands today is something else."""
    with time_machine.travel(NOW, tick=False):
        case = random_case.make_case(seed)
        world = worlds.make_world(case)
        worlds.reconcile_as_of(None, now=NOW)
        reader.force_login(reader.user)
        opened = 0
        for day in PAST_DAYS:
            run = worlds.reconcile_as_of(day, now=NOW, group=case["question"]["group"])
            opened += PagesOfPosition(reader, world, PageRecount(case, day, is_today=False), run).check()
        return opened

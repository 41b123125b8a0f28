"""Every figure of License usage, of reconciliations and of home, counted once more in many random worlds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from tests.samsaas.home import play_home
from tests.subscriptions.usage import play_world

pytestmark = [pytest.mark.proof, pytest.mark.django_db]
WORLDS = 150


class _Undo(Exception):
    """The world is over."""


def play(check: Callable[[int, Any], Any], reader: Any) -> int:
    """How many of the worlds have a page that says something else. Every world is taken back afterwards."""
    wrong = 0
    for seed in range(100, 100 + WORLDS):
        try:
            with transaction.atomic():
                check(seed, reader)
                raise _Undo
        except _Undo:
            continue
        except AssertionError as difference:
            wrong += 1
            sys.stderr.write(f"{check.__name__}({seed}): {difference}\n")
    return wrong


@pytest.mark.parametrize(
    ("check", "what"),
    [
        (play_world.check_today, "pages of today’s position"),
        (play_world.check_past, "pages of past positions"),
        (play_home.check_home, "home"),
        (play_home.check_savings_chart, "the chart of savings"),
    ],
    ids=["today", "past", "home", "savings"],
)
def test_in_many_worlds_no_page_says_anything_but_its_recount(
    check: Callable[[int, Any], Any], what: str, signed_in: Any, measured: Any
) -> None:
    wrong = play(check, signed_in("sam_user"))
    measured("E70", f"{WORLDS} random worlds", f"worlds in which {what} differ from a recount", wrong)

"""Worked positions, computed elsewhere and partly checked by hand: the product says the same, figure for figure."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.subscriptions.reconciliation import position_world as worlds, savings_world

pytestmark = pytest.mark.django_db
FOLDER = Path(os.environ.get("CASES_DIR") or Path(__file__).parents[2] / "cases")
CASES = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("reconcile-*.json"))]


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("asked_later", [False, True], ids=["that day", "a month later"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_the_position_is_as_expected(case: dict[str, Any], asked_later: bool) -> None:
    """On the day itself it rests on the present rows, a month later on what is kept of that day."""
    question, expected = case["question"], case["expected"]
    on = date.fromisoformat(question["date"])
    world = worlds.make_world(case)
    now = worlds.moment(on) + timedelta(hours=12, days=30 if asked_later else 0)
    run = worlds.reconcile_as_of(on, now=now, group=question["group"], publishers=tuple(question["publishers"]))
    assert run.state == run.State.COMPLETED
    assert worlds.describe_models(world, run) == expected["models"]
    products, publishers = worlds.describe_tiers(run)
    assert products == expected["products"]
    assert publishers == expected["publishers"]
    assert run.figures["aside"] == expected["aside"]
    if "renewals" in expected:
        options = question["options"]["renewals"]
        assert worlds.describe_renewals(world, run, on, options) == expected["renewals"]
    if "savings" in expected:
        assert savings_world.describe_savings(savings_world.play_removals(world, case, on), on) == expected["savings"]

"""Worked decisions, checked by hand or computed elsewhere: SQL and Python say of each what is expected, exactly."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.reclamation import decide_world

pytestmark = pytest.mark.django_db
FOLDER = Path(os.environ.get("CASES_DIR") or Path(__file__).parents[1] / "cases")
CASES = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("decide-*.json"))]


def in_any_order(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "notes": sorted(said["notes"])}


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_sql_and_python_decide_as_expected(case: dict[str, Any]) -> None:
    by_hand = case["rule"].get("manual", False)
    with timezone.override(case["zone"]):
        seat, now = decide_world.make_case(case)
        expected = in_any_order(case["expected"])
        assert in_any_order(decide_world.ask_sql(seat.profile, now, by_hand=by_hand)[seat.pk]) == expected
        assert in_any_order(decide_world.ask_python(seat, now, by_hand=by_hand)) == expected

"""Random worlds: every page of the license position says what plain Python counts over the same rows.

`make prove` plays many more worlds (`tests/proofs/prove_pages.py`).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.subscriptions.usage import play_world

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [3, 14])
def test_every_page_of_the_position_says_what_a_recount_says(seed: int, signed_in: Any) -> None:
    assert play_world.check_today(seed, signed_in("sam_user")) > 10


@pytest.mark.parametrize("seed", [5])
def test_every_page_of_a_day_that_is_over_says_what_a_recount_says(seed: int, signed_in: Any) -> None:
    assert play_world.check_past(seed, signed_in("sam_user")) > 10

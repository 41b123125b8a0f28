"""Random worlds: every tile, table and chart of home says what plain Python counts over the same rows.

`make prove` plays many more worlds (`tests/proofs/prove_pages.py`).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.samsaas.home import play_home

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", [3, 14, 27])
def test_home_says_what_a_recount_says(seed: int, signed_in: Any) -> None:
    play_home.check_home(seed, signed_in("sam_user"))


@pytest.mark.parametrize("seed", [1, 9])
def test_the_chart_of_savings_says_what_a_recount_says(seed: int, signed_in: Any) -> None:
    play_home.check_savings_chart(seed, signed_in("sam_user"))

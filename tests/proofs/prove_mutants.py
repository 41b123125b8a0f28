"""The product with one guard taken out, once for each guard: a test by name has to fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proofs.removals.named_tests import CAUGHT_BY, catches

pytestmark = [pytest.mark.proof, pytest.mark.own_database]


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_without_this_guard_a_test_fails(name: str, measured: Any) -> None:
    measured("F56", f"mutant: {name.replace('_', ' ')}", "caught", int(catches(name)), must="= 1")

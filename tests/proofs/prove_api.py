"""Thousands of random calls of the API, made by schemathesis: none is answered otherwise than the document says."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.samsaas.api import random_calls
from tests.samsaas.api.conftest import caller, quiet_doorbell, unlimited

__all__ = ["caller", "quiet_doorbell", "unlimited"]
pytestmark = [pytest.mark.proof, pytest.mark.django_db]
EXAMPLES = 30


def test_schemathesis_finds_nothing_in_thousands_of_calls(caller: Any, unlimited: None, measured: Any) -> None:  # noqa: F811
    calls = random_calls.call_all(caller(), EXAMPLES)
    for name, finding in calls.findings.items():
        sys.stderr.write(f"{name}: {finding}\n")
    injected = f"{sum(calls.called.values()):,} random calls of {len(calls.called)} operations"
    measured("E71", injected, "findings", len(calls.findings), must="= 0")

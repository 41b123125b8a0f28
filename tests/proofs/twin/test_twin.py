"""The twin in the gate: thirteen worlds, seven on SQLite and the others on PostgreSQL.

`python -m tests.proofs.twin --worlds 500` plays more of them.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests.proofs.twin.story import Story

WORLDS = range(1, 25, 4) if connection.vendor == "postgresql" else range(0, 25, 4)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", WORLDS)
def test_the_product_knows_what_its_twin_knows(seed: int, account: Any) -> None:
    findings = Story(seed, account("sam_integrator")).play()
    assert findings.seats and not findings.wrong

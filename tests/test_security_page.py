"""The table of docs/security.md: every row has a test that exists, or a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import compose

pytestmark = pytest.mark.own_database

PAGE = (compose.ROOT / "docs/security.md").read_text()
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| ([^|]+) \|$", PAGE, flags=re.MULTILINE)


def test_every_test_that_the_table_names_exists() -> None:
    there = {name for path in Path(compose.ROOT / "tests").rglob("*.py") for name in _tests_of(path)}
    assert {name for *_, proof in ROWS for name in re.findall(r"`(test_\w+)`", proof)} - there == set()


def test_every_row_stands_once_in_its_chapter_and_has_a_proof_or_a_reason() -> None:
    numbers = [number for number, *_ in ROWS]
    lines = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    assert len(numbers) == len(set(numbers)) == len(lines) > 100
    assert numbers == sorted(numbers, key=lambda number: [int(part) for part in number.split(".")])
    assert [number for number, _, what, proof in ROWS if len(what) < 4 or len(proof) < 10] == []


def _tests_of(path: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE)

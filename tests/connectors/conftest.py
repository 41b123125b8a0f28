"""Connectors are plain Python: these tests pass without Django as well (`pytest tests/connectors -p no:django`)."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They know no database, so one run of them is enough."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.own_database)
            item.add_marker(pytest.mark.connector)


@pytest.fixture(autouse=True)
def quick_passwords() -> None:
    """Nobody signs in here; takes the place of the fixture that needs Django's settings."""

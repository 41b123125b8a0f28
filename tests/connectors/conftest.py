"""Connectors are plain Python: these tests pass without Django as well (`pytest tests/connectors -p no:django`)."""

import pytest


@pytest.fixture(autouse=True)
def quick_passwords() -> None:
    """Nobody signs in here; takes the place of the fixture that needs Django's settings."""

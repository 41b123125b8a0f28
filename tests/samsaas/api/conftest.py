"""Programs with tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from samsaas import guessing
from samsaas.api import tokens
from tests.samsaas.api.world import Caller


@pytest.fixture(autouse=True)
def quiet_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def caller(account: Callable[..., Any]) -> Callable[..., Caller]:
    """A program with a token: `caller("sam_user")`; `role` limits the token, not the account."""

    def make(held: str = "admin", *, role: str = "admin", **fields: Any) -> Caller:
        return Caller(account(held, **fields), role)

    return make


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody calls too often."""
    monkeypatch.setattr(tokens, "CALLS_PER_MINUTE", 10**6)
    monkeypatch.setattr(guessing, "WRONG_TOKENS_PER_MINUTE", 10**6)

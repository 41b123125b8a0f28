"""An account named Ann, and an installation in which the doctor finds no fault."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from samsaas.models import Heartbeat


@pytest.fixture
def ann(account: Any) -> Any:
    return account("sam_user", username="ann")


@pytest.fixture
def healthy(db: None, settings: Any, account: Callable[..., Any]) -> None:
    """An installation without faults. A test breaks one thing and expects that finding only."""
    settings.DROPBOX_AUTHORIZE_URL = "https://www.dropbox.com/oauth2/authorize"
    settings.DROPBOX_TOKEN_URL = "https://api.dropboxapi.com/oauth2/token"
    settings.DROPBOX_API_URL = "https://api.dropboxapi.com"
    account("admin")
    for name in (Heartbeat.WORKER, Heartbeat.BEAT, Heartbeat.SWEEP):
        Heartbeat.record(name)


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that accepts and never answers, as a hanging machine does."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]

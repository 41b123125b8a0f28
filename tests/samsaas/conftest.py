"""Ann, who signs in; and an installation in which the doctor finds nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models.functions import Now

from samsaas.models import Heartbeat


@pytest.fixture
def ann(account: Any) -> Any:
    return account("sam_user", username="ann")


@pytest.fixture
def healthy(db: None, settings: Any, account: Callable[..., Any]) -> None:
    """Everything in order, so that a test breaks one thing and finds that one."""
    settings.DROPBOX_AUTHORIZE_URL = "https://www.dropbox.com/oauth2/authorize"
    settings.DROPBOX_TOKEN_URL = "https://api.dropboxapi.com/oauth2/token"
    settings.DROPBOX_API_URL = "https://api.dropboxapi.com"
    account("admin")
    Heartbeat.objects.create(name="beat", at=Now())


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that accepts and never answers, as a hanging machine does."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]

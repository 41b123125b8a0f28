"""What every connector test needs: tokens that can be renewed, waits that pass at once, and a Dropbox at hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import responses

from profiles import connectors
from profiles.connectors.base import Connector, Endpoints, Limits
from profiles.connectors.dropbox.sandbox import Sandbox, serving

SCHEMAS = Path(__file__).parent / "dropbox_schemas"
HOST = "https://dropbox.example"
REDIRECT = "https://samsaas.example/oauth_redirect.do"


def sample(name: str) -> Any:
    return json.loads((SCHEMAS / "samples" / f"{name}.json").read_text("utf-8"))


def endpoints(url: str = HOST) -> Endpoints:
    row = connectors.vendor("dropbox")
    paths = {
        "DROPBOX_AUTHORIZE_URL": "/oauth2/authorize",
        "DROPBOX_TOKEN_URL": "/oauth2/token",
        "DROPBOX_API_URL": "",
    }
    return row.endpoints_from(lambda setting, default: url + paths[setting])


class Tokens:
    """A token source that remembers what it was told was stale."""

    def __init__(self, token: str, renewed: Callable[[], str] | None = None) -> None:
        self.token, self._renewed = token, renewed
        self.stale: list[str] = []
        self.hidden: tuple[str, ...] = ()

    def access_token(self) -> str:
        return self.token

    def renew(self, stale: str) -> str:
        self.stale.append(stale)
        if self._renewed:
            self.token = self._renewed()
        return self.token

    def secrets(self) -> tuple[str, ...]:
        return self.hidden


class World:
    """A sandbox with one consent given, and connectors opened on it. `waits` holds the seconds asked for."""

    def __init__(self, sandbox: Sandbox, url: str = HOST) -> None:
        self.sandbox, self.url = sandbox, url
        self.waits: list[float] = []
        access, self.refresh_token = sandbox.grant()
        self.tokens = Tokens(access, lambda: sandbox.grant()[0])

    def connector(self, **limits: Any) -> Connector:
        def wait(seconds: float, reason: str) -> None:
            self.waits.append(seconds)

        return connectors.open("dropbox", endpoints(self.url), "key", self.tokens, Limits(**limits), wait)

    def calls(self, route: str) -> int:
        return sum(called == route for called, _ in self.sandbox.log)


@contextmanager
def plugged(sandbox: Sandbox, url: str = HOST) -> Iterator[World]:
    """A world without sockets."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serving.plug(sandbox, mock, [url])
        yield World(sandbox, url)


@contextmanager
def served(sandbox: Sandbox) -> Iterator[World]:
    """A world behind a real port."""
    server = serving.serve(sandbox).start()
    try:
        yield World(sandbox, server.url)
    finally:
        server.shutdown()
        server.server_close()

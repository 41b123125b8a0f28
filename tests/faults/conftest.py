"""A small team behind a real port, a profile connected to it, and the scales that note what each fault did."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Sandbox, serving
from profiles.connectors.dropbox.sandbox.team import Team
from tests import worlds
from tests.faults import figures
from tests.faults.tenant import Tenant

Measured = Callable[..., None]
PEOPLE = 30


@pytest.fixture
def measured(request: Any) -> Iterator[Measured]:
    """`measured("F43", "page k fails", "partial lists", 0, must="= 0")`: held against its bound, and noted."""
    began, found = time.monotonic(), []

    def measure(fault: str, injected: str, must_hold: str, value: float, must: str = "= 0") -> None:
        figure = figures.Figure(fault=fault, injected=injected, must_hold=must_hold, value=value, bound=must)
        found.append(figure)
        assert figure.holds, f"{fault}, {injected}: {figure.text} where {must} must hold"

    yield measure
    path = os.environ.get(figures.FILE_VARIABLE)
    if path:
        spent, database = time.monotonic() - began, database_of(request)
        figures.append(Path(path), [replace(figure, seconds=spent, database=database) for figure in found])


def database_of(request: Any) -> str:
    if chosen := getattr(request.node, "callspec", None) and request.node.callspec.params.get("house"):
        return str(chosen)
    if request.node.get_closest_marker("own_database"):
        return "postgresql"
    if not request.node.get_closest_marker("django_db"):
        return "none"
    return str(django_settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]).removesuffix("3")


@pytest.fixture
def dropbox(settings: Any) -> Iterator[Sandbox]:
    """The stand-in Dropbox of one team of thirty behind a real port. Its time stands still, so that its log does."""
    began = timezone.now()
    team = Team("Nordwind Trading", "nordwind.example", PEOPLE, 40, removed=2)
    stand_in = Sandbox([team], redirect_uris=[settings.OAUTH_REDIRECT_URL], now=lambda: began)
    server = serving.serve(stand_in).start()
    settings.DROPBOX_AUTHORIZE_URL = f"{server.url}/oauth2/authorize"
    settings.DROPBOX_TOKEN_URL = f"{server.url}/oauth2/token"
    settings.DROPBOX_API_URL = server.url
    yield stand_in
    server.shutdown()
    server.server_close()


@pytest.fixture
def tenant(connected: Any, dropbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Refreshed once: five pages of members, four of events, every page a batch, every call tried once."""
    connected.analyze_activity_from = timezone.now() - timedelta(days=3)
    connected.save()
    connected.alias.page_size, connected.alias.attempts = 6, 1
    connected.alias.save()
    monkeypatch.setattr("subscriptions.download.download.BATCH_RECORDS", 1)
    monkeypatch.setattr("subscriptions.activity.pull.BATCH_USES", 1)
    made = Tenant(connected, dropbox)
    monkeypatch.setattr("profiles.connectors.dropbox.connector.EVENTS_A_PAGE", len(made.log()) // 4 + 1)
    monkeypatch.setattr("profiles.jobs.execute.Job.wait", lambda job, seconds, reason: made.waits.append(seconds))
    made.refresh()
    worlds.since_yesterday()
    return made

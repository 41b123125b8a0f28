"""A real Chromium, and installations to drive it against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import migrated, servers
from tests.browser import installations
from tests.conftest import needs

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Everything comes at once on a quiet machine; what never comes still fails.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = needs(servers.chromium)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser session; anything the page complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(20_000)
    complaints: list[str] = []
    opened = context.new_page()
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture(params=["embedded", "services"])
def installation(request: Any, tmp_path: Path) -> Iterator[installations.Installation]:
    """The same walk on both ways to run the product."""
    if request.param == "embedded":
        with installations.embedded(tmp_path) as made:
            yield made
        return
    postgres, redis = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
    with migrated.on_postgresql(postgres) as database, installations.services(tmp_path, database, redis) as made:
        yield made


@pytest.fixture
def on_services(tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[installations.Installation]:
    """With workers that are missed after eight seconds of silence, so that a test can wait for it."""
    with (
        migrated.on_postgresql(postgres_url) as database,
        installations.services(tmp_path, database, redis_url, JOB_STALE_SECONDS="8") as made,
    ):
        yield made

"""The scripted tenant of the download tests, and a profile connected to it."""

from __future__ import annotations

import pytest

from profiles.connection import credentials
from profiles.models import IntegrationProfile
from tests.subscriptions import download_world as world


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> world.Tenant:
    tenant = world.Tenant()
    monkeypatch.setattr(credentials, "open_connector", lambda *args, **kwargs: tenant)
    return tenant


@pytest.fixture
def profile(db: None) -> IntegrationProfile:
    return world.make_profile()

"""A scope that the vendor refuses although the grant lists it: the page says so until it works, or is granted anew."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from profiles.connectors import base
from profiles.models import IntegrationProfile
from tests import pages, worlds
from tests.profiles.test_validate_page import page_of, press_validate, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
REFUSED = "events.read missing: the vendor refused it"


@pytest.fixture
def refreshed(connected: IntegrationProfile) -> IntegrationProfile:
    worlds.work_on()
    connected.refresh_from_db()
    return connected


def refuse(sandbox: Any, scope: str) -> dict[str, Any]:
    """Every token loses a scope at the vendor, without a word to us. Gives the tokens as they were."""
    whole = dict(sandbox.store.tokens)
    for token, access in whole.items():
        left = tuple(one for one in access.scopes if one != scope)
        sandbox.store.tokens[token] = replace(access, scopes=left)
    return whole


def states(client: Any, profile: IntegrationProfile) -> dict[str, str]:
    """Process -> its state in the table of processes, before what its last validation saw."""
    told = {process: cells[0] for process, cells in pages.rows(page_of(client, profile), "Process").items()}
    return {process: re.split(" (?:Passed|Failed) ", state)[0] for process, state in told.items()}


def test_what_a_validation_was_refused_for_shows_as_missing_until_a_later_one_passes(
    integrator: Any, refreshed: IntegrationProfile, dropbox: Any
) -> None:
    assert set(states(integrator, refreshed).values()) == {"Ready"}
    whole = refuse(dropbox, "events.read")
    press_validate(integrator, refreshed)
    worlds.work()
    assert states(integrator, refreshed)["Pull user activity"] == "Scopes missing"
    assert states(integrator, refreshed)["Download subscriptions"] == "Ready"
    assert REFUSED in text_of(integrator, refreshed)
    dropbox.store.tokens.update(whole)
    press_validate(integrator, refreshed)
    worlds.work()
    assert set(states(integrator, refreshed).values()) == {"Ready"} and REFUSED not in text_of(integrator, refreshed)


def test_what_a_run_was_refused_for_shows_as_missing_until_a_later_run_succeeds(
    integrator: Any, refreshed: IntegrationProfile, dropbox: Any
) -> None:
    whole = refuse(dropbox, "events.read")
    job = refreshed.scheduled_jobs.get(process=base.ACTIVITY)
    integrator.post(f"/scheduled-jobs/{job.pk}/run/")
    assert [run.state for run in worlds.work()] == ["failed"]
    assert states(integrator, refreshed)["Pull user activity"] == "Scopes missing"
    assert REFUSED in text_of(integrator, refreshed)
    dropbox.store.tokens.update(whole)
    integrator.post(f"/scheduled-jobs/{job.pk}/run/")  # it may be tried: who ticked the scope wants to see it work
    assert [run.state for run in worlds.work()] == ["succeeded"]
    assert states(integrator, refreshed)["Pull user activity"] == "Ready"


def test_a_new_consent_starts_from_what_it_grants(integrator: Any, refreshed: IntegrationProfile, dropbox: Any) -> None:
    refuse(dropbox, "events.read")
    press_validate(integrator, refreshed)
    worlds.work()
    assert REFUSED in text_of(integrator, refreshed)
    worlds.connect(integrator, refreshed, dropbox)
    assert states(integrator, refreshed)["Pull user activity"] == "Ready"

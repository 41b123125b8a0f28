"""Run a process of a profile now, because a person asks: refuse what cannot work, and say what is needed first."""

from __future__ import annotations

from django.contrib.auth.models import User

from profiles import validate
from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from profiles.oauth import scopes

NOT_CONNECTED = "This profile is not connected yet. Press Get OAuth Token first."
DRAFT = "This profile is a draft. Press Validate Connection first; that publishes it."
LACKS_SCOPES = "The token lacks a scope that this process needs. See the scopes on the profile's page."
SWITCHED_OFF = "This process is switched off on the profile's form."
NO_SEATS = "Nothing has been downloaded yet, so there is nobody to match."
NOT_HERE = "Subscriptions are not reclaimed from here."


class NotReady(Exception):
    """The run would be refused or fail at once; the text says what to do first."""


def run(
    profile: IntegrationProfile, process: str, *, by: User, in_chain: bool = True, accept_drop: bool = False
) -> tuple[JobRun | None, bool]:
    """As `queue.request`, triggered by hand. A chain goes on after it unless told otherwise. Raises `NotReady`."""
    if reason := refusal(profile, process):
        raise NotReady(reason)
    return queue.request(
        profile,
        process,
        trigger=JobRun.Trigger.MANUAL,
        by=by,
        in_chain=in_chain and process != base.VALIDATE,
        accept_drop=accept_drop,
    )


def refusal(profile: IntegrationProfile, process: str) -> str:
    """Why it cannot run now; empty when it can."""
    if process == base.RECLAIM:
        return NOT_HERE
    if process == base.VALIDATE:
        return "" if validate.can_validate(profile) else NOT_CONNECTED
    if process == base.MATCH:
        return "" if profile.refreshed_at else NO_SEATS
    return _refused_by_state(profile, process)


def _refused_by_state(profile: IntegrationProfile, process: str) -> str:
    row = next((row for row in scopes.by_grant(profile) if row.process.key == process), None)
    if row is None or row.state == "off":
        return SWITCHED_OFF
    if row.state == "not_connected":
        return NOT_CONNECTED
    if row.state == "missing":
        return LACKS_SCOPES
    return "" if profile.status == IntegrationProfile.Status.PUBLISHED else DRAFT

"""The processes of this app, and what keeps a vendor's process from starting."""

from __future__ import annotations

from collections.abc import Callable

from profiles import validate
from profiles.jobs.process import Counter, Process
from profiles.models import IntegrationProfile
from profiles.models.run import VALIDATE
from profiles.oauth import scopes

NOT_CONNECTED = "This profile is not connected yet. Press Get OAuth Token first."
DRAFT = "This profile is a draft. Press Validate Connection first; that publishes it."
LACKS_SCOPES = "The token lacks a scope that this process needs. See the scopes on the profile's page."
SWITCHED_OFF = "This process is switched off on the profile's form."


def needs_vendor_process(key: str) -> Callable[[IntegrationProfile], str]:
    """A refusal for a process that calls the vendor: it has to be on, connected, granted, and the profile published."""

    def refuse(profile: IntegrationProfile) -> str:
        row = next((row for row in scopes.by_grant(profile) if row.process.key == key), None)
        if row is None or row.state == "off":
            return SWITCHED_OFF
        if row.state == "not_connected":
            return NOT_CONNECTED
        if row.state == "missing":
            return LACKS_SCOPES
        return "" if profile.status == IntegrationProfile.Status.PUBLISHED else DRAFT

    return refuse


def _needs_grant(profile: IntegrationProfile) -> str:
    return "" if validate.can_validate(profile) else NOT_CONNECTED


PROCESSES = [
    Process(
        key=VALIDATE,
        label="Validate connection",
        unit="Processes",
        verb=validate.run,
        counters={
            "passed": Counter("Passed", "processes that can do their work"),
            "failed": Counter("Failed", "processes that cannot, each with its cause and remedy"),
        },
        refusal=_needs_grant,
        done_text="Every enabled process can do its work.",
        canceled_text="No result was stored. If the vendor said that the authorization is lost, that stays noted.",
        survives_outages=False,
        found_template="profiles/jobs/run_checks.html",
    )
]

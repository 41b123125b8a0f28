"""What an admin wants to know of one profile at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from profiles import scopes
from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile, JobRun

RECENT_RUNS = 5
NEXT_STEP = (
    "The profile has no access and refresh token yet. "
    "Press Get OAuth Token and allow the access as a team administrator."
)
SILENT = "Nothing is refreshed until an administrator presses Get OAuth Token again; the data below stays as it is."


@dataclass(frozen=True)
class Notice:
    """A banner: its tone, what is the matter, what it means and what to do."""

    tone: str
    title: str
    text: str
    run: JobRun | None = None


def of(profile: IntegrationProfile) -> dict[str, Any]:
    """The context of the profile page."""
    credentials = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    runs = list(profile.runs.select_related("requested_by")[:RECENT_RUNS])
    main = credentials.get(base.SUBSCRIPTIONS)
    return {
        "profile": profile,
        "vendor": profile.vendor_info,
        "credentials": [credentials[purpose] for purpose in Credential.Purpose.values if purpose in credentials],
        "main": main,
        "files_to": scopes.reclamation_admin(profile),
        "processes": scopes.xray(profile),
        "excess": scopes.excess_by_purpose(profile),
        "runs": runs,
        "active_run": next((run for run in runs if run.is_active), None),
        "last_success": profile.runs.filter(process=base.DOWNLOAD, state=JobRun.State.SUCCEEDED).first(),
        "notices": notices(profile, main, runs),
        "can_download": can_download(profile),
        "redirect_url": settings.OAUTH_REDIRECT_URL,
        "open_attempts": profile.authorizations.filter(used_at=None).exists(),
    }


def can_download(profile: IntegrationProfile) -> bool:
    return scopes.ready_for(profile, base.DOWNLOAD)


def notices(profile: IntegrationProfile, main: Credential | None, runs: list[JobRun]) -> list[Notice]:
    """What needs somebody, the most urgent first."""
    found = []
    if main is None or main.state == Credential.State.NEW:
        found.append(Notice("info", "Next step: Get OAuth Token", NEXT_STEP))
    elif main.state == Credential.State.NEEDS_AUTHORISATION:
        found.append(Notice("bad", "Needs authorisation", f"{main.state_reason} {SILENT}"))
    last = next((run for run in runs if not run.is_active), None)
    if last and profile.attention == IntegrationProfile.Attention.REFRESH_FAILED:
        found.append(Notice("bad", "The last refresh failed", f"{last.error_message} {last.error_remedy}", last))
    if last and profile.attention == IntegrationProfile.Attention.REFRESH_HELD:
        found.append(Notice("warn", "The last refresh waits for confirmation", last.error_message, last))
    if main and main.is_connected:
        found += _scope_notices(profile)
    return found


def _scope_notices(profile: IntegrationProfile) -> list[Notice]:
    lacking = [row for row in scopes.xray(profile) if row.state in ("missing", "not_connected")]
    return [
        Notice(
            "warn",
            f"{row.process.label} is not ready",
            f"The token lacks {', '.join(row.missing)}. Tick that in the app, then get a token."
            if row.connected
            else "Its separate app has not been authorised yet. Press Get OAuth Token for reclamation below.",
        )
        for row in lacking
    ]

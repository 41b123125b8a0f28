"""The scopes a profile asks for, those it was granted, and those each process lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Max

from profiles.connection import credentials
from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile, JobRun


def processes_for(profile: IntegrationProfile, purpose: str) -> list[base.VendorProcess]:
    """The enabled processes that a credential serves: all of them, unless reclamation has a credential of its own."""
    purposes = {credential.purpose for credential in profile.alias.credentials.all()}
    separate = base.RECLAMATION in purposes
    return [process for process in profile.enabled_processes if not separate or process.purpose == purpose]


def wanted(profile: IntegrationProfile, purpose: str) -> list[str]:
    """The needed and the recommended scopes that the consent page asks for, sorted."""
    found = processes_for(profile, purpose)
    return sorted({scope for process in found for scope in (*process.scopes, *process.recommended_scopes)})


def session_scope(profile: IntegrationProfile, purpose: str) -> str:
    """The scope for device sessions where this credential can use it; "" otherwise.

    A vendor grants only the scopes that a consent asks for, and may refuse the whole consent because of a scope that
    nobody ticked for the app. So we ask for this one only when an administrator says that it is ticked.
    """
    pulls = any(process.key == base.ACTIVITY for process in processes_for(profile, purpose))
    return profile.vendor_info.session_scope if pulls else ""


def missing(profile: IntegrationProfile, purpose: str, granted: Iterable[str]) -> list[str]:
    """The scopes that the enabled processes need and the grant lacks, sorted."""
    needed = {scope for process in processes_for(profile, purpose) for scope in process.scopes}
    return sorted(needed - set(granted))


def excess(profile: IntegrationProfile, purpose: str, granted: Iterable[str]) -> list[str]:
    """The granted scopes that no enabled process asks for, sorted: more access than this connection needs."""
    return sorted(set(granted) - {*wanted(profile, purpose), session_scope(profile, purpose)})


@dataclass(frozen=True)
class ProcessScopes:
    """One process on the profile page, with its scopes.

    `needed` and `recommended` are pairs of a scope and whether the grant has it. `consent` is when the grant was given.
    `refused` is a scope whose lack the vendor named after that; "" where it refused none.
    """

    process: base.VendorProcess
    enabled: bool
    purpose: str
    needed: list[tuple[str, bool]]
    recommended: list[tuple[str, bool]]
    connected: bool
    consent: datetime | None = None
    refused: str = ""

    @property
    def missing(self) -> list[str]:
        return [scope for scope, granted in self.needed if not granted]

    @property
    def state(self) -> str:
        if not self.enabled:
            return "off"
        if not self.connected:
            return "not_connected"
        return "missing" if self.missing or self.refused else "ready"


def by_grant_and_refusals(profile: IntegrationProfile) -> list[ProcessScopes]:
    """Like `by_grant`, with the scopes that the vendor refused since the last consent although they were granted."""
    tried = _last_tries(profile)
    rows = []
    for row in by_grant(profile):
        at, scope = tried.get(row.process.key, (None, ""))
        if not (scope and at and row.consent and at > row.consent):
            rows.append(row)
            continue
        unlisted = scope not in {name for name, _ in (*row.needed, *row.recommended)}
        rows.append(replace(row, refused=scope, needed=[*row.needed, (scope, False)] if unlisted else row.needed))
    return rows


def _last_tries(profile: IntegrationProfile) -> dict[str, tuple[datetime, str]]:
    """When each process was last tried, by a check or a run, and the scope it was refused for then, if any."""
    ended = (JobRun.State.SUCCEEDED, JobRun.State.HELD, JobRun.State.FAILED)
    last = profile.runs.filter(state__in=ended).order_by().values("process").annotate(last=Max("pk")).values("last")
    runs = JobRun.objects.filter(pk__in=last, finished_at__isnull=False)
    tried: list[Any] = [
        *profile.checks.values_list("checked_at", "process", "refused_scope"),
        *runs.values_list("finished_at", "process", "error_scope"),
    ]
    return {process: (at, scope) for at, process, scope in sorted(tried)}


def by_grant(profile: IntegrationProfile) -> list[ProcessScopes]:
    """Needed and granted scopes of every process of the vendor, in the registry's order."""
    stored = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    return [_process_scopes(profile, process, stored) for process in profile.vendor_info.processes]


def _process_scopes(
    profile: IntegrationProfile, process: base.VendorProcess, stored: dict[str, Credential]
) -> ProcessScopes:
    credential = stored.get(process.purpose) or stored.get(base.SUBSCRIPTIONS)
    granted = set(credential.granted_scopes) if credential and credential.is_connected else set()
    return ProcessScopes(
        process=process,
        enabled=profile.process_enabled(process.key),
        purpose=credential.purpose if credential else process.purpose,
        needed=[(scope, scope in granted) for scope in process.scopes],
        recommended=[(scope, scope in granted) for scope in process.recommended_scopes],
        connected=bool(credential and credential.is_connected),
        consent=credential.authorized_at if credential else None,
    )


def excess_by_purpose(profile: IntegrationProfile) -> dict[str, list[str]]:
    """The granted scopes that no process asks for, by the label of the purpose.

    Credentials without any are left out.
    """
    found = {
        credential.get_purpose_display(): excess(profile, credential.purpose, credential.granted_scopes)
        for credential in profile.alias.credentials.all()
        if credential.is_connected
    }
    return {purpose: scopes for purpose, scopes in found.items() if scopes}


def reclamation_admin(profile: IntegrationProfile) -> Credential | None:
    """The credential whose authorizing admin receives the files of reclaimed members; `None` before the consent."""
    try:
        credential = credentials.credential_for(profile, base.RECLAMATION)
    except KeyError:
        return None
    return credential if credential.admin_external_id else None

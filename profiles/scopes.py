"""Which scopes a profile asks for, which it was granted, and what is missing for which process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from profiles import connections
from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile


def processes_for(profile: IntegrationProfile, purpose: str) -> list[base.Process]:
    """The enabled processes a credential serves. One app serves all of them unless reclamation has its own."""
    purposes = {credential.purpose for credential in profile.alias.credentials.all()}
    separate = base.RECLAMATION in purposes
    return [process for process in profile.enabled_processes if not separate or process.purpose == purpose]


def wanted(profile: IntegrationProfile, purpose: str) -> list[str]:
    """What the consent page asks for, sorted: everything needed, and what is recommended."""
    found = processes_for(profile, purpose)
    return sorted({scope for process in found for scope in (*process.scopes, *process.recommended_scopes)})


def session_scope(profile: IntegrationProfile, purpose: str) -> str:
    """The scope for device sessions where this credential could use it; "" otherwise.

    A vendor gives what a consent asks for and no more, and may refuse a consent over a scope that nobody ticked for
    the app: so it is asked for only where an administrator says that it is ticked.
    """
    pulls = any(process.key == base.ACTIVITY for process in processes_for(profile, purpose))
    return profile.vendor_info.session_scope if pulls else ""


def missing(profile: IntegrationProfile, purpose: str, granted: Iterable[str]) -> list[str]:
    """Needed scopes of the enabled processes that the grant lacks, sorted."""
    needed = {scope for process in processes_for(profile, purpose) for scope in process.scopes}
    return sorted(needed - set(granted))


def excess(profile: IntegrationProfile, purpose: str, granted: Iterable[str]) -> list[str]:
    """Granted scopes that no enabled process asks for, sorted: more power than this connection needs."""
    return sorted(set(granted) - {*wanted(profile, purpose), session_scope(profile, purpose)})


@dataclass(frozen=True)
class ProcessScopes:
    """One process on the profile page: every scope it needs, and whether the grant has it."""

    process: base.Process
    enabled: bool
    purpose: str
    needed: list[tuple[str, bool]]
    recommended: list[tuple[str, bool]]
    connected: bool

    @property
    def missing(self) -> list[str]:
        return [scope for scope, granted in self.needed if not granted]

    @property
    def state(self) -> str:
        if not self.enabled:
            return "off"
        if not self.connected:
            return "not_connected"
        return "missing" if self.missing else "ready"


def xray(profile: IntegrationProfile) -> list[ProcessScopes]:
    """Needed against granted scopes of every process of the vendor, in the registry's order."""
    held = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    return [_row(profile, process, held) for process in profile.vendor_info.processes]


def _row(profile: IntegrationProfile, process: base.Process, held: dict[str, Credential]) -> ProcessScopes:
    credential = held.get(process.purpose) or held.get(base.SUBSCRIPTIONS)
    granted = set(credential.granted_scopes) if credential and credential.is_connected else set()
    return ProcessScopes(
        process=process,
        enabled=profile.process_enabled(process.key),
        purpose=credential.purpose if credential else process.purpose,
        needed=[(scope, scope in granted) for scope in process.scopes],
        recommended=[(scope, scope in granted) for scope in process.recommended_scopes],
        connected=bool(credential and credential.is_connected),
    )


def ready_for(profile: IntegrationProfile, process_key: str) -> bool:
    """Whether a process is switched on, connected and has every scope it needs."""
    return any(row.process.key == process_key and row.state == "ready" for row in xray(profile))


def excess_by_purpose(profile: IntegrationProfile) -> dict[str, list[str]]:
    """Per connected credential the granted scopes nobody asked for; credentials without any are left out."""
    found = {
        credential.get_purpose_display(): excess(profile, credential.purpose, credential.granted_scopes)
        for credential in profile.alias.credentials.all()
        if credential.is_connected
    }
    return {purpose: scopes for purpose, scopes in found.items() if scopes}


def reclamation_admin(profile: IntegrationProfile) -> Credential | None:
    """The credential whose authorising admin receives the files of reclaimed members; `None` before consent."""
    try:
        credential = connections.credential_for(profile, base.RECLAMATION)
    except KeyError:
        return None
    return credential if credential.admin_external_id else None

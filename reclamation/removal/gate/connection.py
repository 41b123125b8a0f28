"""Guards of the connection: may this team be called at all? The vendor's answer about the team comes with them."""

from __future__ import annotations

from dataclasses import dataclass

from profiles.connectors import base
from reclamation.removal.gate.answers import ATTENTION, GateGuard, GuardAnswer, failed, passed, unknown
from reclamation.removal.gate.case import Case

MOST_SKEW_SECONDS = 300


@dataclass(frozen=True)
class Line:
    """What was learned of the connection to the vendor: the teams of the tokens, and its clock minus ours.

    `error` says why nothing was learned.
    """

    team_ids: frozenset[str] = frozenset()
    clock_skew: float | None = None
    error: str = ""


def switch(case: Case) -> GuardAnswer:
    return failed(case.team.paused) if case.team.paused else passed("Removals are on.")


def connected(case: Case) -> GuardAnswer:
    row = case.team.process_scopes.get(base.RECLAIM)
    if row is None or not row.enabled:
        return failed("Reclaim subscriptions is switched off on the profile.")
    if case.profile.vendor_info.removal is None:
        return failed("This version cannot remove accounts at this vendor.")
    download = case.team.process_scopes.get(base.DOWNLOAD)
    if not row.connected or not (download and download.connected):
        return failed("The profile is not connected.")
    return passed("The profile is connected.")


def scopes(case: Case) -> GuardAnswer:
    rows = [case.team.process_scopes.get(key) for key in (base.RECLAIM, base.DOWNLOAD)]
    missing = sorted({scope for row in rows if row and row.connected for scope in row.missing})
    if missing:
        return failed(f"The token lacks {', '.join(missing)}.", ATTENTION)
    if not all(row and row.connected for row in rows):
        return unknown("Nobody knows while the profile is not connected.")
    return passed("Every scope is granted.")


def team(case: Case, line: Line) -> GuardAnswer:
    if line.error:
        return unknown(line.error)
    if not line.team_ids:
        return unknown("The vendor did not say which team the token opens.")
    if line.team_ids != {case.profile.team_id} or case.attempt.team_id != case.profile.team_id:
        return failed("The token opens another team than the profile’s.", ATTENTION)
    return passed(f"The token opens the team {case.profile.team_name or case.profile.team_id}.")


def clock(case: Case, line: Line) -> GuardAnswer:
    if line.clock_skew is None:
        return unknown("The vendor’s clock is not known.")
    seconds = f"{abs(line.clock_skew):.0f} s"
    if abs(line.clock_skew) > MOST_SKEW_SECONDS:
        return failed(f"This machine’s clock and the vendor’s differ by {seconds}.")
    return passed(f"The clocks differ by {seconds}.")


STORED = (
    GateGuard("switch", "Switch", switch),
    GateGuard("connected", "Connected", connected),
    GateGuard("scopes", "Scopes", scopes),
)


def asked(line: Line) -> tuple[GateGuard, ...]:
    """The guards that need the vendor's answer about the team."""
    return (
        GateGuard("team", "Same team", lambda case: team(case, line)),
        GateGuard("clock", "Clock", lambda case: clock(case, line)),
    )

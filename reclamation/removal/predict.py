"""What the gate would say of a candidate now, from what is stored: shown before anybody presses, and never acted on.

The vendor is not asked. Where the gate would ask it, the last listing stands in, and the answer is as old as that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from profiles.connectors import base
from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt, RemovalCandidate
from reclamation.removal import limits
from reclamation.removal.gate import connection, member, stored
from reclamation.removal.gate.answers import PASS, GateGuard
from reclamation.removal.gate.asked import VendorAnswers
from reclamation.removal.gate.case import Case, load
from subscriptions.models import Subscription

LISTED, READ = "listed", "read"
# How old an answer is: as the last listing or the last reading of the log, where it does not rest on our own tables.
AGES = {**dict.fromkeys(("member", "role", "destination", "directory"), LISTED), "still_idle": READ, "activity": READ}
FROM_LOG = {"still_idle", "came_back"}
LOG_IS_ASKED = "Nothing is known that speaks against it. The vendor’s log is asked before the call."
NO_UNDO = "It cannot be undone: the vendor restores nobody who never joined."
AT_ONCE = "It cannot be undone: the rule has the files transferred at once."


@dataclass(frozen=True)
class Prediction:
    """What one guard would answer. `at` is when what it rests on was learned; None where that is not known."""

    label: str
    answer: str
    detail: str
    at: datetime | None


@dataclass(frozen=True)
class Outlook:
    """The guards' answers, and what would go wrong at the vendor."""

    guards: tuple[Prediction, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def failing(self) -> int:
        return sum(one.answer != PASS for one in self.guards)


def run(candidate: RemovalCandidate, *, now: datetime) -> Outlook:
    """The outlook of an open candidate; empty where its profile or subscription is gone. A fixed number of queries."""
    profile = candidate.profile
    if profile is None or candidate.subscription_id is None or not candidate.is_open:
        return Outlook()
    attempt = RemovalAttempt(
        candidate=candidate,
        batch=candidate.batch,
        profile=profile,
        vendor=profile.vendor,
        team_id=profile.team_id,
        external_id=candidate.external_id,
        email=candidate.email,
        opened_at=now,
    )
    (case,) = load([attempt], profile, now=now)
    if case.seat is None:
        return Outlook()
    others = _looks(profile, (case.where_to.external_id, case.where_to.transfer_admin))
    case = replace(case, asked=_as_listed(case, others, now))
    guards = (*connection.STORED, *stored.GUARDS, *member.GUARDS)
    return Outlook(tuple(_predict(guards, case)), tuple(_refusals(case, others)))


def _predict(guards: Iterable[GateGuard], case: Case) -> Iterable[Prediction]:
    moments = {LISTED: case.profile.refreshed_at, READ: case.profile.activity_refreshed_at}
    for guard in guards:
        found = guard.judge(case)
        at = moments[AGES[guard.code]] if guard.code in AGES else case.now
        detail = LOG_IS_ASKED if guard.code in FROM_LOG and found.answer == PASS else found.detail
        yield Prediction(guard.label, found.answer, detail, at)


def _refusals(case: Case, others: dict[str, base.Look]) -> Iterable[str]:
    """What the vendor, or the move of the files afterwards, would refuse; and what could not be undone."""
    if case.is_invitation:
        yield NO_UNDO
        return
    if member.is_last_full_admin(case):
        yield member.LAST_FULL_ADMIN
    if problem := member.destination_problem(case, others):
        yield f"The files could not be moved: {problem}"
    if not case.rule.undo_days:
        yield AT_ONCE


def _as_listed(case: Case, others: dict[str, base.Look], now: datetime) -> VendorAnswers:
    seat: Any = case.seat
    latest = getattr(seat, "last_activity", None)
    used = latest if latest is not None and latest.at >= case.since else None
    return VendorAnswers(
        look=_look_at(seat),
        looked_at=now,
        used_at=used.at if used else None,
        used_kind=used.kind if used else "",
        use_asked=not case.is_invitation,
        use_later=False,
        unread="",
        came_back=False,
        back_later=True,
        others=others,
        began_at=now,
    )


def _looks(profile: IntegrationProfile, external_ids: Iterable[str]) -> dict[str, base.Look]:
    wanted = [one for one in external_ids if one]
    seats = Subscription.objects.filter(profile__in=limits.profiles_of_team(profile), external_id__in=wanted)
    return {seat.external_id: _look_at(seat) for seat in seats}


def _look_at(seat: Subscription) -> base.Look:
    """What the vendor would have said when it was last listed."""
    listed = base.Seat(
        external_id=seat.external_id,
        identifier="",
        email=seat.email,
        status=seat.status,
        vendor_status=seat.vendor_status,
        consumes_license=seat.consumes_license,
        email_verified=seat.email_verified,
        roles=tuple(seat.roles.splitlines()),
        is_admin=seat.is_admin,
        is_full_admin=seat.is_full_admin,
    )
    return base.Look(external_id=seat.external_id, state="gone" if seat.ended_at else "present", seat=listed)

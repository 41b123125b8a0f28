"""The vendor as a run of removals uses it: one connector for looking, one for effects, and what the team itself is.

Where reclamation has a credential of its own, its token may not be allowed to read members, so looks go through the
other one. Both tokens have to open the profile's own team, which is asked again every few minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from django.utils import timezone

from profiles.connection import credentials
from profiles.connectors import base
from profiles.jobs.job import Job
from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt
from reclamation.removal.gate.asked import VendorAnswers
from reclamation.removal.gate.case import Case
from reclamation.removal.gate.connection import MOST_SKEW_SECONDS

TEAM_AGAIN = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=MOST_SKEW_SECONDS)
QUESTIONS = 2  # to the vendor about one attempt: the one to its log, and the look


@dataclass(frozen=True)
class TeamAnswer:
    """Which teams the tokens open, and how far the vendor's clock is from ours, at one moment."""

    team_ids: frozenset[str]
    clock_skew: float | None
    at: datetime


@dataclass
class SeatLog:
    """What the vendor's log has of one seat: its use, and when it was last restored or joined again.

    `unread` says why the log could not be read to the end.
    """

    uses: list[base.Use] = field(default_factory=list)
    came_back_at: datetime | None = None
    unread: str = ""


class VendorAccess:
    """The connectors of one profile for one run."""

    def __init__(self, job: Job, profile: IntegrationProfile) -> None:
        self.profile = profile
        main = credentials.credential_for(profile, base.SUBSCRIPTIONS)
        second = credentials.credential_for(profile, base.RECLAMATION)
        self.looking = cast(base.RemovingConnector, job.connector(base.SUBSCRIPTIONS))
        self.acting = self.looking
        if second.pk != main.pk:
            self.acting = cast(base.RemovingConnector, job.connector(base.RECLAMATION))
        self._team: TeamAnswer | None = None

    def team(self) -> TeamAnswer:
        """Which teams the tokens open. Asked again when the last answer is old. Raises `base.ConnectorError`."""
        now = timezone.now()
        if self._team is None or not timedelta(0) <= now - self._team.at < TEAM_AGAIN:
            both = {id(one): one for one in (self.looking, self.acting)}.values()
            ids = frozenset(one.team().team_id for one in both)
            skews = [one.counters.clock_skew for one in both]
            worst = None if None in skews else max((skew for skew in skews if skew is not None), key=abs)
            self._team = TeamAnswer(ids, worst, now)
        return self._team

    def make_room(self) -> None:
        """Wait now for what the questions about an attempt would wait for. Raises `base.ConnectorError`."""
        self.looking.make_room(QUESTIONS)

    def look(self, external_ids: Sequence[str]) -> dict[str, base.Look]:
        """What the vendor says of these members now. Raises `base.ConnectorError`."""
        wanted = list(dict.fromkeys(external_ids))
        return {one.external_id: one for one in self.looking.look(wanted)} if wanted else {}

    def ask_about(self, cases: Sequence[Case]) -> dict[int, VendorAnswers]:
        """For every case, by its attempt: the log first, then the look, so that the look is the last answer.

        The log can be asked about one account at a time only, so of a batch at its first gate it is not asked: it would
        be asked the same again before each call. There one question tells of its use, and whether it came back.
        Raises `base.ConnectorError`.
        """
        used = self._ask_use(cases)
        back = self._ask_who_came_back([case for case in cases if case.attempt.external_id not in used])
        others = {name for case in cases if not case.rule.undo_days for name in _destination(case)}
        looks = self.look([*(case.attempt.external_id for case in cases), *sorted(others)])
        looked_at = timezone.now()
        found = {}
        for case in cases:
            look = looks.get(case.attempt.external_id)
            if look is None:
                raise base.ProtocolError("The vendor did not answer about every account that it was asked about.")
            log = used.get(case.attempt.external_id, SeatLog())
            use = max((one for one in log.uses if one.latest >= case.since), key=lambda one: one.latest, default=None)
            found[case.attempt.pk] = VendorAnswers(
                look=look,
                looked_at=looked_at,
                used_at=use.latest if use else None,
                used_kind=use.kind if use else "",
                use_asked=_can_be_asked(case),
                use_later=_is_first_gate(case) and case.use_matters,
                unread=log.unread,
                came_back=case.attempt.external_id in back or _is_back(case, log),
                back_later=_is_first_gate(case),
                others={name: looks[name] for name in _destination(case) if name in looks},
                began_at=case.now,
            )
        return found

    def _ask_use(self, cases: Sequence[Case]) -> dict[str, SeatLog]:
        """What the log has of the cases' seats since the earliest moment in question.

        An account that the vendor does not know makes it refuse the whole question. Then each is asked about alone.
        """
        wanted = [case for case in cases if case.use_matters and _can_be_asked(case) and not _is_first_gate(case)]
        if not wanted:
            return {}
        since = min(min(case.since, since_when_back(case.attempt)) for case in wanted)
        try:
            uses = self.looking.recent([case.as_listed() for case in wanted], since)
        except base.Refused as refusal:
            if len(wanted) == 1:
                return {wanted[0].attempt.external_id: SeatLog(unread=f"The vendor’s log does not answer: {refusal}")}
            return {name: log for case in wanted for name, log in self._ask_use([case]).items()}
        skipped = uses.counters["set_aside"]
        unread = f"{skipped} events of the vendor’s log could not be read." if skipped else ""
        names = [case.attempt.external_id for case in wanted]
        found = {name: SeatLog(came_back_at=uses.came_back.get(name), unread=unread) for name in names}
        for use in uses.rows():
            found.setdefault(use.external_id, SeatLog()).uses.append(use)
        return found

    def _ask_who_came_back(self, cases: Sequence[Case]) -> set[str]:
        """Members that the vendor's log says were restored or joined again, since they were proposed or called about.

        It is asked right before the call, of those whose use is not asked for there. An invitation that samsaas has not
        called about cannot have come back.
        """
        later = [case for case in cases if not _is_first_gate(case)]
        asked = [case.attempt for case in later if case.attempt.intent_at or not case.is_invitation]
        if not asked:
            return set()
        since = min(since_when_back(attempt) for attempt in asked)
        return self.looking.returned([attempt.external_id for attempt in asked], since)


def since_when_back(attempt: RemovalAttempt) -> datetime:
    """Since when the vendor's log is asked who came back: the proposal, also where it was called about since.

    The vendor's clock may be behind ours by as much as the gate lets pass. It may have been behind by more for a moment
    after the call, when nobody looked. Who came back between proposal and call would not have been called about.
    """
    return attempt.candidate.opened_at - CLOCKS_DIFFER


def _is_back(case: Case, log: SeatLog) -> bool:
    """Whether the log says that the member came back. Its times are full seconds."""
    return bool(log.came_back_at and log.came_back_at >= since_when_back(case.attempt).replace(microsecond=0))


def _can_be_asked(case: Case) -> bool:
    """An invitation that nobody accepted has no account yet, so the log has nothing of it."""
    return bool(case.seat and case.seat.account_id) or not case.is_invitation


def _is_first_gate(case: Case) -> bool:
    """Whether the whole batch is asked about at once. Each attempt passes the gate again, alone, before its call."""
    return case.attempt.state == RemovalAttempt.State.APPROVED


def _destination(case: Case) -> list[str]:
    return [name for name in (case.where_to.external_id, case.where_to.transfer_admin) if name]

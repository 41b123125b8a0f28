"""A vendor's team in memory, strict like the protocol `base.RemovingConnector`: members, log, jobs, faults.

Every call is noted in `calls`. `arm("withdraw", fault)` lets the next call of a verb fail as the fault says.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox import removal
from profiles.connectors.dropbox.client import REQUEST_ID_HEADER, DropboxDialect
from profiles.connectors.failures import failure_of
from profiles.connectors.transport import Answer

UNDO = dt.timedelta(days=7)
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Member:
    """One account of the team. `files_at` is where its files are: its own id, or that of whoever received them."""

    seat: base.Seat
    files_at: str
    removed_at: dt.datetime | None = None
    unrecoverable: bool = False

    @property
    def is_present(self) -> bool:
        return self.removed_at is None


@dataclass
class Work:
    """A job of the vendor: what it does, when, and for whom. `broken` jobs are lost by the vendor."""

    step: str
    external_id: str
    done_at: dt.datetime
    effect: Callable[[], None]
    broken: bool = False
    over: bool = False


@dataclass
class Call:
    """A call as the vendor received it."""

    verb: str
    external_id: str
    at: dt.datetime
    arguments: dict[str, Any] = field(default_factory=dict)


class StandIn:
    """One team of the vendor."""

    def __init__(self, team_id: str = "dbtid:one", licenses: int = 100) -> None:
        self.team_id, self.licenses = team_id, licenses
        self.members: dict[str, Member] = {}
        self.uses: list[tuple[str, dt.datetime, str]] = []
        self.log: list[tuple[dt.datetime, str, str]] = []
        self.calls: list[Call] = []
        self.effects: list[Call] = []
        self.jobs: dict[str, Work] = {}
        self.faults: dict[str, list[Any]] = {}
        self.skew: float | None = 0.0
        self.clock_ahead = dt.timedelta(0)  # the vendor's clock, which its log goes by
        self.job_time: dt.timedelta | None = None
        self.set_aside = 0
        # How long a transfer of files takes, during which its destination takes no other; who receives until when.
        self.transfer_time = dt.timedelta(0)
        self.receives_until: dict[str, dt.datetime] = {}
        self._numbers = count(1)
        # What else happens at these moments: before an effect, before any call, and after an effect was begun.
        self.before_effect: Callable[[str, str], None] = lambda verb, external_id: None
        self.before_call: Callable[[str, str], None] = lambda verb, external_id: None
        self.after_effect: Callable[[str, str], None] = lambda verb, external_id: None
        # What the caller dies of while its call is on its way, and after what time the call has its effect: None for
        # never. Nothing at all where it lives.
        self.in_flight: Callable[[str, str], tuple[BaseException, dt.timedelta | None] | None] = lambda *given: None

    # --- the world -------------------------------------------------------------------------------------------------

    def add(self, external_id: str, **fields: Any) -> Member:
        """An account of the team; active unless `fields` say otherwise."""
        given: dict[str, Any] = {
            "identifier": "full",
            "email": f"{external_id.replace(':', '-')}@example.com",
            "status": "active",
            "vendor_status": "active",
            "consumes_license": True,
            "email_verified": True,
            "account_id": f"dbid:{external_id}",
        }
        member = Member(base.Seat(external_id=external_id, **{**given, **fields}), files_at=external_id)
        self.members[external_id] = member
        return member

    def change(self, external_id: str, **fields: Any) -> None:
        """The account is different from now on."""
        member = self.members[external_id]
        values = {name: getattr(member.seat, name) for name in base.Seat.__struct_fields__}
        member.seat = base.Seat(**{**values, **fields})

    def use(self, external_id: str, at: dt.datetime | None = None, kind: str = "file_add") -> None:
        """Somebody works with the account."""
        self.uses.append((external_id, at or timezone.now(), kind))

    def remove_by_hand(self, external_id: str) -> None:
        """An administrator removes the account in the vendor's own console."""
        self._remove(external_id)

    def restore_by_hand(self, external_id: str) -> None:
        """An administrator restores the account in the vendor's own console."""
        self._restore(external_id)

    def arm(self, verb: str, *faults: Any) -> None:
        """Let the next calls of a verb fail, one fault each."""
        self.faults.setdefault(verb, []).extend(faults)

    def called(self, verb: str) -> list[str]:
        """The accounts that a verb was called for, in order."""
        return [call.external_id for call in self.calls if call.verb == verb]

    def tick(self) -> None:
        """Carry out the jobs whose time has come."""
        for work in list(self.jobs.values()):
            if not work.over and work.done_at <= timezone.now():
                work.over = True
                work.effect()

    # --- what a connector offers -----------------------------------------------------------------------------------

    def connector(self) -> Connector:
        return Connector(self)

    def state_of(self, external_id: str) -> str:
        member = self.members.get(external_id)
        if member is None:
            return "gone"
        if member.is_present:
            return "present" if member.seat.status in ("active", "invited", "suspended") else "unknown"
        return "withdrawn" if self._can_come_back(member) else "gone"

    def _can_come_back(self, member: Member) -> bool:
        window = member.removed_at is not None and timezone.now() <= member.removed_at + UNDO
        untouched = member.files_at == member.seat.external_id and not self._is_being_moved(member.seat.external_id)
        return window and untouched and not member.unrecoverable and member.seat.status != "invited"

    def _is_being_moved(self, external_id: str) -> bool:
        """As with the sandbox, a transfer that has begun ends the time in which a member can be restored."""
        return any(
            work.step == "finish" and work.external_id == external_id and not work.over for work in self.jobs.values()
        )

    def _remove(self, external_id: str, destination: str = "") -> None:
        member = self.members[external_id]
        if not member.is_present:
            return
        member.removed_at = timezone.now()
        self._note_in_log("removed", external_id)
        if destination:
            self._hand_over(external_id, destination)

    def _restore(self, external_id: str) -> None:
        member = self.members[external_id]
        member.removed_at = None
        self._note_in_log("restored", external_id)

    def _hand_over(self, external_id: str, destination: str) -> None:
        self.members[external_id].files_at = destination
        self.receives_until[destination] = timezone.now() + self.transfer_time
        self._note_in_log("moved", external_id)

    def _note_in_log(self, what: str, external_id: str) -> None:
        self.log.append((timezone.now() + self.clock_ahead, what, external_id))

    def used_licenses(self) -> int:
        return sum(member.is_present for member in self.members.values())


def refused(tag: str) -> base.ConnectorError:
    """What the connector of Dropbox raises for this tag. It is not `base.Refused` for all of them."""
    body = json.dumps({"error_summary": f"{tag}/..", "error": {".tag": tag}}).encode()
    return answered(409, body)


def answered(status: int, body: bytes) -> base.ConnectorError:
    """What the connector of Dropbox raises for such an answer to a removal."""
    answer = Answer(status=status, headers={REQUEST_ID_HEADER: "req-1"}, body=body)
    url = f"https://api.dropboxapi.com/2/{removal.REMOVE}"
    return DropboxDialect().judge(answer, failure_of(answer, url, REQUEST_ID_HEADER))


class Connector:
    """The protocol `base.RemovingConnector` on a stand-in team."""

    def __init__(self, team: StandIn) -> None:
        self.world = team
        self.counters = base.Counters(clock_skew=team.skew)

    def team(self) -> base.Team:
        self._note("team", "")
        self._fail("team")
        self.counters.clock_skew = self.world.skew
        return base.Team(team_id=self.world.team_id, name="Team", licensed=self.world.licenses)

    def admin(self, *, authorized_by: str = "") -> base.Admin | None:
        return None

    def make_room(self, calls: int) -> None:
        pass

    def look(self, external_ids: Sequence[str]) -> list[base.Look]:
        for one in external_ids:
            self._note("look", one)
        self._fail("look")
        self.world.tick()
        return [self._look(one) for one in external_ids]

    def _look(self, external_id: str) -> base.Look:
        member, state = self.world.members.get(external_id), self.world.state_of(external_id)
        undoable = state == "withdrawn" if state in ("withdrawn", "gone") else None
        seat = member.seat if member else None
        return base.Look(external_id=external_id, state=state, seat=seat, undoable=undoable, request_id="look-1")

    def recent(self, seats: Sequence[base.Seat], since: dt.datetime) -> base.Uses:
        for seat in seats:
            self._note("recent", seat.external_id)
        self._fail("recent")
        uses, wanted = base.Uses(), {seat.external_id for seat in seats}
        if any(self.world.state_of(one) == "gone" for one in wanted):
            raise refused("account_id_not_found")
        for external_id, at, kind in self.world.uses:
            if external_id in wanted and at >= since:
                day = uses.held.setdefault(at.astimezone(dt.UTC).date().toordinal(), {})
                known = day.get(external_id)
                if known is None or known.latest < at:
                    day[external_id] = base.DayUse(1, at, kind)
        for at, what, external_id in self.world.log:
            if what == "restored" and external_id in wanted and at >= since:
                uses.came_back[external_id] = max(at, uses.came_back.get(external_id, at))
        uses.counters["set_aside"] = self.world.set_aside
        return uses

    def finished(self, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        self._note("finished", ",".join(external_ids))
        self.world.tick()
        return self._logged("moved", external_ids, since)

    def returned(self, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        self._note("returned", ",".join(external_ids))
        return self._logged("restored", external_ids, since)

    def _logged(self, kind: str, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        found = {one for at, what, one in self.world.log if what == kind and at >= since}
        return found & set(external_ids)

    def withdraw(
        self, external_id: str, *, wipe: bool = False, destination: str = "", transfer_admin: str = ""
    ) -> base.Effect:
        arguments = {"wipe": wipe, "destination": destination, "transfer_admin": transfer_admin}
        return self._effect(
            "withdraw",
            external_id,
            arguments,
            check=lambda: self._check_withdraw(external_id, destination),
            act=lambda: self.world._remove(external_id, destination),
        )

    def _check_withdraw(self, external_id: str, destination: str) -> None:
        if external_id not in self.world.members:
            raise refused("user_not_found")
        if not self.world.members[external_id].is_present:
            raise refused("user_not_in_team")
        if destination:
            self._check_destination(destination)

    def _check_destination(self, destination: str) -> None:
        if destination not in self.world.members:
            raise refused("transfer_dest_user_not_found")
        if self.world.receives_until.get(destination, timezone.now()) > timezone.now():
            raise refused("transfer_in_progress")

    def restore(self, external_id: str) -> base.Effect:
        return self._effect(
            "restore",
            external_id,
            {},
            check=lambda: self._check_restore(external_id),
            act=lambda: self.world._restore(external_id),
        )

    def _check_restore(self, external_id: str) -> None:
        member = self.world.members[external_id]
        if not self.world._can_come_back(member):
            raise refused("user_unrecoverable")
        if self.world.used_licenses() >= self.world.licenses:
            raise refused("team_license_limit")

    def finish(self, external_id: str, *, destination: str, transfer_admin: str) -> base.Effect:
        arguments = {"destination": destination, "transfer_admin": transfer_admin}
        return self._effect(
            "finish",
            external_id,
            arguments,
            check=lambda: self._check_finish(external_id, destination),
            act=lambda: self.world._hand_over(external_id, destination),
        )

    def _check_finish(self, external_id: str, destination: str) -> None:
        member = self.world.members[external_id]
        if member.is_present:
            raise refused("user_not_removed")
        if member.files_at != external_id:
            raise refused("user_data_already_transferred")
        self._check_destination(destination)

    def ask(self, step: str, job: str) -> base.Effect:
        self._note("ask", job)
        self._fail("ask")
        self.world.tick()
        work = self.world.jobs.get(job)
        if work is None or work.broken or work.step != step:
            raise base.AnswerLost("The vendor does not know the job.")
        return base.Effect(state="done" if work.over else "working", job="" if work.over else job)

    def _effect(
        self,
        verb: str,
        external_id: str,
        arguments: dict[str, Any],
        *,
        check: Callable[[], None],
        act: Callable[[], None],
    ) -> base.Effect:
        """One call with an effect: refused, at once, as a job, late, or with its answer lost before or after it."""
        self.world.before_call(verb, external_id)
        call = Call(verb, external_id, timezone.now(), arguments)
        self.world.calls.append(call)
        self.world.before_effect(verb, external_id)
        fault = self._next(verb)
        if isinstance(fault, BaseException):
            raise fault
        if death := self.world.in_flight(verb, external_id):
            if death[1] is not None:
                check()
                self._begin(verb, external_id, act, death[1])
            raise death[0]
        if fault == "lost before":
            raise base.AnswerLost("The answer was lost.")
        check()
        self.world.effects.append(call)
        if fault == "lost after":
            act()
            self.world.after_effect(verb, external_id)
            raise base.AnswerLost("The answer was lost.")
        if isinstance(fault, tuple) and fault[0] == "late":
            self._begin(verb, external_id, act, fault[1])
            raise base.AnswerLost("The answer was lost.")
        if fault in ("job", "broken job", "endless job") or self.world.job_time is not None:
            time = dt.timedelta(days=90) if fault == "endless job" else self.world.job_time or 2 * MINUTE
            job = self._begin(verb, external_id, act, time, broken=fault == "broken job")
            return base.Effect(state="working", job=job)
        act()
        self.world.after_effect(verb, external_id)
        return base.Effect(state="done", request_id="req-ok")

    def _begin(
        self, verb: str, external_id: str, act: Callable[[], None], time: dt.timedelta, broken: bool = False
    ) -> str:
        job = f"job-{next(self.world._numbers)}"
        self.world.jobs[job] = Work(verb, external_id, timezone.now() + time, act, broken)
        return job

    def _note(self, verb: str, external_id: str) -> None:
        self.world.before_call(verb, external_id)
        self.world.calls.append(Call(verb, external_id, timezone.now()))

    def _next(self, verb: str) -> Any:
        waiting = self.world.faults.get(verb) or []
        return waiting.pop(0) if waiting else None

    def _fail(self, verb: str) -> None:
        fault = self._next(verb)
        if isinstance(fault, BaseException):
            raise fault

    def seats(self, cursor: str = "") -> Iterator[base.Page]:
        raise NotImplementedError

    def activity(
        self, since: dt.datetime, cursor: str = "", *, until: dt.datetime | None = None
    ) -> Iterator[base.ActivityPage]:
        raise NotImplementedError

    def sessions(self) -> Iterator[base.ActivityPage]:
        raise NotImplementedError

    def file_events(self) -> bool | None:
        return True

    def probe(self, process: str, *, authorized_by: str = "") -> str:
        return ""

"""What became of members who left the team: until when they can be restored, and where their files are."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from profiles.connectors.dropbox.sandbox.team import Member, Team

RECOVERABLE = dt.timedelta(days=7)
KEPT_FILES = dt.timedelta(days=180)
MOMENTS = ("removed_at", "restored_at", "moving_since", "moved_at")


@dataclass(kw_only=True)
class Removal:
    """One removal of one member. `was` is the status and the roles before it, which a recovery brings back.

    The files go to `recipient` from `moving_since` to `moved_at`, which may be still to come. `deleted`: there are no
    files any more.
    """

    member: Member
    removed_at: dt.datetime
    was: dict[str, Any]
    restored_at: dt.datetime | None = None
    recipient: str = ""
    moving_since: dt.datetime | None = None
    moved_at: dt.datetime | None = None
    deleted: bool = False

    @property
    def member_id(self) -> str:
        return str(self.member["profile"]["team_member_id"])

    def is_moving(self, now: dt.datetime) -> bool:
        return self.moved_at is not None and now < self.moved_at

    def is_recoverable(self, now: dt.datetime) -> bool:
        """Dropbox: for 7 days, or until the account is transferred or deleted. Nobody who never joined can be."""
        joined, gone = self.was["status"][".tag"] != "invited", self.deleted or self.moving_since is not None
        return joined and not gone and now < self.removed_at + RECOVERABLE

    def put_back(self) -> None:
        """Make the member what it was before."""
        self.member["profile"]["status"] = dict(self.was["status"])
        self.member["roles"] = list(self.was["roles"])

    def as_json(self) -> dict[str, Any]:
        kept = {"was": self.was, "recipient": self.recipient, "deleted": self.deleted}
        moments = {name: getattr(self, name) for name in MOMENTS}
        stamps = {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
        return {"member_id": self.member_id, **kept, **stamps}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An event that a call made, and the moment from which the team log shows it."""

    event: dict[str, Any]
    arrives: dt.datetime


@dataclass(kw_only=True)
class Past:
    """What calls did to one team; the members themselves are changed in place. `removals` are keyed by member id."""

    removals: dict[str, list[Removal]] = field(default_factory=dict)
    recorded: list[Recorded] = field(default_factory=list)
    invited: list[Member] = field(default_factory=list)

    def add(self, removal: Removal) -> None:
        self.removals.setdefault(removal.member_id, []).append(removal)

    def removal_of(self, member: Member) -> Removal | None:
        """The last removal of a member, if it is not undone."""
        found = self.removals.get(member["profile"]["team_member_id"])
        return found[-1] if found and found[-1].restored_at is None else None

    def transfer_to(self, member: Member, now: dt.datetime) -> Removal | None:
        """The removal whose files are on their way to this member."""
        to = member["profile"]["team_member_id"]
        return next((one for one in self._all() if one.recipient == to and one.is_moving(now)), None)

    def first_status(self, member: Member) -> str:
        """The status of a member before anybody was removed by a call."""
        removals = self.removals.get(member["profile"]["team_member_id"])
        status = removals[0].was["status"] if removals else member["profile"]["status"]
        return str(status[".tag"])

    def was_away(self, member_id: str, moment: dt.datetime) -> bool:
        """Whether a member was out of the team at a moment of the past."""
        return any(
            one.removed_at <= moment and (one.restored_at is None or moment < one.restored_at)
            for one in self.removals.get(member_id, ())
        )

    def update_recovery(self, now: dt.datetime) -> None:
        """Let the status of every removed member say what is true now."""
        for one in self._all():
            status = one.member["profile"]["status"]
            if one.restored_at is None and status[".tag"] == "removed":
                status["is_recoverable"] = one.is_recoverable(now)

    def as_json(self) -> dict[str, Any]:
        """What the state file keeps."""
        recorded = [{"event": one.event, "arrives": one.arrives.isoformat()} for one in self.recorded]
        return {"removals": [one.as_json() for one in self._all()], "recorded": recorded, "invited": self.invited}

    def _all(self) -> Iterator[Removal]:
        return itertools.chain.from_iterable(self.removals.values())


def take_out(member: Member, *, disconnected: bool = False) -> dict[str, Any]:
    """Make a member a removed one. Returns what it was."""
    was = {"status": member["profile"]["status"], "roles": member["roles"]}
    member["profile"]["status"] = {".tag": "removed", "is_recoverable": False, "is_disconnected": disconnected}
    member["roles"] = []
    return was


def load_past(team: Team, kept: dict[str, Any]) -> None:
    """Bring a team to the state that an earlier sandbox left it in."""
    past = team.past
    past.invited = kept["invited"]
    team.members.extend(past.invited)
    past.recorded = [
        Recorded(event=one["event"], arrives=dt.datetime.fromisoformat(one["arrives"])) for one in kept["recorded"]
    ]
    for stored in kept["removals"]:
        fields = dict(stored)
        member = team.find("team_member_id", fields.pop("member_id"))
        if member is None:
            continue
        moments = {name: dt.datetime.fromisoformat(fields[name]) for name in MOMENTS if name in fields}
        past.add(removal := Removal(member=member, **{**fields, **moments}))
        take_out(member)
        if removal.restored_at is not None:
            removal.put_back()

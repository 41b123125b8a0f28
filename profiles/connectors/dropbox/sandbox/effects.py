"""What changes a team: remove, restore, hand over files, invite. By a call of an app, or by an admin in the console.

Where Dropbox does not document something, the comment says what is assumed here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from profiles.connectors.dropbox.sandbox import log
from profiles.connectors.dropbox.sandbox.former import RECOVERABLE, Recorded, Removal, take_out
from profiles.connectors.dropbox.sandbox.team import FOUNDED, Member, Team, opaque, status_of

if TYPE_CHECKING:
    from profiles.connectors.dropbox.sandbox.application import Sandbox

REMOVE, RECOVER, TRANSFER, ADD = "remove", "recover", "transfer", "add"
STATUS_CHANGED = (
    "members",
    "member_change_status",
    "(members) Changed member status (invited, joined, suspended, etc.)",
)
TRANSFERRED = (
    "members",
    "member_transfer_account_contents",
    "(members) Transferred contents of deleted member account to another member",
)


@dataclass(frozen=True, kw_only=True)
class Done:
    """An effect that took place, once for each time it did: remove, recover, transfer or add."""

    what: str
    member_id: str
    at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What is done to one team now. `app_key` is the app that does it; without one it is an admin in the console."""

    sandbox: Sandbox
    team: Team
    app_key: str = ""

    def remove(self, member: Member, *, keep_account: bool = False, delete_files: bool = False) -> Removal:
        """Take a member out of the team. The log shows it later."""
        now, before = self.sandbox.now(), status_of(member)
        was = take_out(member, disconnected=keep_account)
        removal = Removal(member=member, removed_at=now, was=was, deleted=keep_account or delete_files)
        self.team.past.add(removal)
        self.record(STATUS_CHANGED, now, member, [member], **_change(before, "removed"))
        self._note_done(REMOVE, member)
        return removal

    def restore(self, member: Member) -> None:
        """Bring a removed member back. That roles come back as well is assumed."""
        removal = self.removal_of(member)
        removal.restored_at = self.sandbox.now()
        removal.put_back()
        self.record(STATUS_CHANGED, removal.restored_at, member, [member], **_change("removed", status_of(member)))
        self._note_done(RECOVER, member)

    def move_files(self, member: Member, recipient: Member) -> None:
        """Begin a transfer. It goes on after its job is complete, and the log shows its end later still."""
        removal, now = self.removal_of(member), self.sandbox.now()
        removal.recipient = recipient["profile"]["team_member_id"]
        removal.moving_since, removal.moved_at = now, now + self.sandbox.work.transfer_takes
        self.record(TRANSFERRED, removal.moved_at, member, [member, recipient])
        self._note_done(TRANSFER, member)

    def invite(self, email: str) -> Member:
        """Add a member who has not joined yet."""
        member = self.team.make_invited(email, self.sandbox.now())
        self.team.members.append(member)
        self.team.past.invited.append(member)
        self._note_done(ADD, member)
        return member

    def removal_of(self, member: Member) -> Removal:
        """The removal of a removed member. Whoever was removed before the sandbox's first day gets one of long ago."""
        past = self.team.past
        if found := past.removal_of(member):
            return found
        was = {"status": {".tag": "active"}, "roles": []}
        long_ago = Removal(member=member, removed_at=self.team.past_moment(FOUNDED), was=was)
        past.add(long_ago)
        return long_ago

    def is_recoverable(self, member: Member) -> bool:
        """Whether a removed member can be restored now. For those removed before it, the first day is day one."""
        now, removal = self.sandbox.now(), self.team.past.removal_of(member)
        if removal is not None:
            return removal.is_recoverable(now)
        return bool(member["profile"]["status"].get("is_recoverable")) and now < self.team.past_moment(RECOVERABLE)

    def record(
        self, doing: tuple[str, str, str], at: dt.datetime, about: Member, named: list[Member], **details: Any
    ) -> None:
        """Write an event into the log, which shows it later. That its context is whom it is about is assumed."""
        event = log.make_event(at.date(), _second_of(at), doing, self._actor())
        event["context"] = log.member_log_info(about)
        event["participants"] = [{".tag": "user", "user": log.member_log_info(one)} for one in named]
        event["details"] |= details
        self.team.past.recorded.append(Recorded(event=event, arrives=at + self.sandbox.work.log_lag))

    def note_use(self, member: Member, at: dt.datetime, *, arrives: dt.datetime | None = None) -> None:
        """Let a member edit a file at a moment, and the log show it from `arrives` on: at once if not given."""
        actor = {".tag": "user", "user": log.member_log_info(member)}
        event = log.make_event(at.date(), _second_of(at), log.DOINGS[1], actor)
        self.team.past.recorded.append(Recorded(event=event, arrives=arrives or at))
        self.sandbox.keep_past(self.team)

    def _actor(self) -> dict[str, Any]:
        if not self.app_key:
            return {".tag": "admin", "admin": log.member_log_info(self.team.admins()[0])}
        app_id = opaque("dbaid:", self.app_key)
        return {".tag": "app", "app": {".tag": "team_linked_app", "app_id": app_id, "display_name": "samsaas"}}

    def _note_done(self, what: str, member: Member) -> None:
        moment = self.sandbox.now()
        self.sandbox.done.append(Done(what=what, member_id=member["profile"]["team_member_id"], at=moment))
        self.sandbox.keep_past(self.team)


def _change(before: str, after: str) -> dict[str, Any]:
    return {"previous_value": {".tag": before}, "new_value": {".tag": after}}


def _second_of(moment: dt.datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second

"""What really happens in a made-up team: people join, leave, return, are renamed and use the product.

Every event knows its true owner and when the vendor's log shows it. The time is the vendor's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(days=1)
LATE = timedelta(hours=72)  # later than that nobody promises to find an event
STAMP = "%Y-%m-%dT%H:%M:%SZ"
USES = (
    ("file_operations", "file_add"),
    ("file_operations", "file_edit"),
    ("sharing", "shared_link_create"),
    ("logins", "login_success"),
    ("devices", "device_change_ip_desktop"),
)
FORMS = {"full": 50, "id": 20, "account": 10, "address": 10, "account and address": 5, "other address": 5}


@dataclass(eq=False)
class Member:
    """One member id of a team. A person who leaves and gets another id is another member."""

    member_id: str
    account_id: str
    email: str
    joined: datetime
    pace: float
    others: tuple[str, ...] = ()
    status: str = "active"
    is_admin: bool = False
    gone: bool = False
    uses: list[Event] = field(default_factory=list)


@dataclass(eq=False)
class Event:
    """One event of the log. `owner` used the product by it; without an owner it is nobody's use.

    It is in the log from `visible` on, `copies` times.
    """

    at: datetime
    visible: datetime
    kind: str
    body: dict[str, Any]
    owner: Member | None = None
    form: str = ""
    copies: int = 1

    @property
    def is_too_late(self) -> bool:
        return self.visible - self.at > LATE


class Team:
    """A team and its log. `live` moves it on; all of it follows from the random numbers it is given."""

    def __init__(self, name: str, size: int, rng: random.Random, began: datetime) -> None:
        self.name, self.team_id, self.rng = name, f"dbtid:{name}", rng
        self.domain = f"{name.lower()}.example"
        self.members: list[Member] = []
        self.events: list[Event] = []
        self.at = began
        self.quiet: tuple[datetime, datetime] | None = None
        self.always_late = False
        self.numbers = iter(range(1, 10_000))
        for _ in range(size):
            self.join(began - DAY * rng.uniform(0, 300))
        self.members[0].is_admin, self.members[0].pace = True, 1.0

    def listed(self) -> list[Member]:
        return [member for member in self.members if not member.gone]

    # What happens to people. Each says it in a few words for the story.

    def join(self, at: datetime) -> str:
        number = next(self.numbers)
        pace = self.rng.choice((0.0, 0.03, 0.2, 0.5, 1.0, 2.0))
        made = Member(f"dbmid:{self.name}{number}", f"dbid:{self.name}{number}", self._address(number), at, pace)
        made.status = "invited" if number > 3 and self.rng.random() < 0.05 else "active"
        self.members.append(made)
        return f"{made.member_id} joins"

    def leave(self, at: datetime) -> str:
        if not (member := self._choose()) or len(self.listed()) <= 3:
            return ""
        member.gone = True
        return f"{member.member_id} leaves"

    def come_back(self, at: datetime) -> str:
        gone = [member for member in self.members if member.gone and not self._taken(member)]
        if not gone:
            return ""
        member = self.rng.choice(gone)
        member.gone = False
        return f"{member.member_id} returns"

    def rename(self, at: datetime) -> str:
        if not (member := self._choose()):
            return ""
        before, member.email = member.email, self._address(next(self.numbers))
        if self.rng.random() < 0.6:
            member.others = (*member.others, before)
        return f"{member.member_id} is renamed, {'and keeps' if before in member.others else 'without'} {before}"

    def get_second_identity(self, at: datetime) -> str:
        """The same person leaves and is invited anew, with or without the account and the address of before."""
        if not (member := self._choose()):
            return ""
        member.gone = True
        number = next(self.numbers)
        account = member.account_id if self.rng.random() < 0.5 else f"dbid:{self.name}{number}"
        email, others = member.email, member.others
        if self.rng.random() < 0.4:
            email, others = self._address(number), (member.email,) if self.rng.random() < 0.6 else ()
        anew = Member(f"dbmid:{self.name}{number}", account, email, at, member.pace, others)
        self.members.append(anew)
        return f"{member.member_id} gets a second identity {anew.member_id} ({account}, {email}, {others})"

    def share(self, at: datetime) -> str:
        """Two members have one address or one account: no vendor should allow it, and nobody can tell them apart."""
        one, other = self._choose(), self._choose()
        if not one or not other or one is other:
            return ""
        if self.rng.random() < 0.4:
            one.account_id = other.account_id
            return f"{one.member_id} and {other.member_id} share the account {one.account_id}"
        one.others = (*one.others, self.rng.choice((other.email, *other.others)))
        return f"{one.member_id} and {other.member_id} share the address {one.others[-1]}"

    def be_suspended(self, at: datetime) -> str:
        if not (member := self._choose()):
            return ""
        member.status = "suspended" if member.status == "active" else "active"
        return f"{member.member_id} is {member.status}"

    def _choose(self) -> Member | None:
        fit = [member for member in self.listed() if not member.is_admin]
        return self.rng.choice(fit) if fit else None

    def _taken(self, back: Member) -> bool:
        """Whether somebody who is listed has an address or the account of a member who would come back."""
        mine = {back.email, *back.others, back.account_id}
        return any(mine & {one.email, *one.others, one.account_id} for one in self.listed())

    def _address(self, number: int) -> str:
        return f"p{number}@{self.domain}"

    # Time goes by.

    def live(self, until: datetime, changes: float = 0.0) -> list[str]:
        """Move on to a moment, in days or parts of them, with about so many changes of people in all."""
        happened = []
        while self.at < until:
            end = min(self.at + DAY, until)
            share = changes * (end - self.at) / max(until - self.at, end - self.at)
            while self.rng.random() < share:
                share -= 1
                happened.append(self._change())
            for member in self.listed():
                if member.status == "active":
                    self._use(member, self.at, end)
            self._make_noise(self.at, end)
            self.at = end
        return [one for one in happened if one]

    def _change(self) -> str:
        what = (
            self.join,
            self.join,
            self.leave,
            self.come_back,
            self.rename,
            self.rename,
            self.get_second_identity,
            self.be_suspended,
            self.share,
        )
        return self.rng.choice(what)(self.at)

    def _use(self, member: Member, since: datetime, until: datetime) -> None:
        if self.quiet and self.quiet[0] <= since < self.quiet[1]:
            return
        expected = member.pace * ((until - since) / DAY)
        number = int(expected) + (self.rng.random() < expected % 1)
        for _ in range(number):
            at = self._moment(since, until)
            category, kind = self.rng.choice(USES)
            form = self.rng.choices(list(FORMS), list(FORMS.values()))[0]
            if form == "other address" and not member.others:
                form = "address"
            actor = "admin" if member.is_admin and self.rng.random() < 0.3 else "user"
            body = _body(at, category, kind, {".tag": actor, actor: self._identity(member, form)})
            event = Event(at, self._shown(at), kind, body, member, form, 2 if self.rng.random() < 0.05 else 1)
            member.uses.append(event)
            self.events.append(event)

    def _moment(self, since: datetime, until: datetime) -> datetime:
        at = since + (until - since) * self.rng.random()
        return max(at.replace(microsecond=0), since.replace(microsecond=0) + timedelta(seconds=1))

    def _shown(self, at: datetime) -> datetime:
        """When the log shows an event: mostly at once, some hours or days late, now and then later than promised."""
        luck = self.rng.random()
        if luck < 0.01:
            return at + LATE + DAY * self.rng.uniform(0.1, 7)
        if luck < 0.06 or self.always_late:
            return at + LATE * self.rng.uniform(0.3, 0.999)
        return at + timedelta(hours=24 * self.rng.random() if luck < 0.25 else 0)

    def _identity(self, member: Member, form: str) -> dict[str, Any]:
        spell = self.rng.choice((str, str, str.upper, str.title))
        address = {"email": spell(self.rng.choice(member.others) if form == "other address" else member.email)}
        user: dict[str, Any] = {".tag": "team_member"}
        if form in ("full", "id"):
            user["team_member_id"] = member.member_id
        if form in ("full", "account", "account and address"):
            user["account_id"] = member.account_id
        return user if form in ("id", "account") else {**user, **address}

    def _make_noise(self, since: datetime, until: datetime) -> None:
        """What is nobody's use: failed sign-ins, apps, outsiders, worn accounts, events without an actor."""
        for _ in range(int(len(self.listed()) * 0.3 * ((until - since) / DAY) + self.rng.random())):
            at, member = self._moment(since, until), self.rng.choice(self.listed())
            user = {".tag": "user", "user": self._identity(member, "full")}
            worn = {"access_method": {".tag": "sign_in_as"}}
            guest = {".tag": "non_team_member", "email": f"guest{self.rng.randrange(9)}@elsewhere.example"}
            kinds: list[tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]] = [
                ("logins", "login_fail", user, None),
                ("file_requests", "file_request_receive_file", user, None),
                ("file_operations", "file_edit", user, worn),
                ("file_operations", "file_add", {".tag": "app", "app": {".tag": "team_linked_app"}}, None),
                ("sharing", "shared_content_view", {".tag": "anonymous"}, None),
                ("sharing", "shared_content_view", {".tag": "user", "user": guest}, None),
                ("team_policies", "sharing_change_link_policy", {".tag": "dropbox"}, None),
            ]
            kind = self.rng.choice(kinds)
            body = _body(at, *kind) if self.rng.random() > 0.05 else _body(at, "devices", "device_unlink", None)
            self.events.append(Event(at, at, kind[1], body))


def _body(
    at: datetime, category: str, kind: str, actor: dict[str, Any] | None, origin: dict[str, Any] | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "timestamp": at.strftime(STAMP),
        "event_category": {".tag": category},
        "event_type": {".tag": kind, "description": kind},
        "details": {".tag": f"{kind}_details"},
        "involve_non_team_member": False,
    }
    return body | ({"actor": actor} if actor else {}) | ({"origin": origin} if origin else {})

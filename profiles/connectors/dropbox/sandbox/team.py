"""Teams made of deterministic people: a name, a seed and a first day always give the same members, ids and dates."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import itertools
from functools import cached_property
from typing import Any

from profiles.connectors.dropbox.sandbox.former import RECOVERABLE, Past
from profiles.connectors.dropbox.sandbox.names import SCRIPTS

# A team's past, counted from the midnight of its first day.
FOUNDED = dt.timedelta(days=-2877, hours=8)
LAST_JOINING = dt.timedelta(days=-178, hours=16)
INVITED_FROM = dt.timedelta(days=-161, hours=9)
INVITED_UNTIL = dt.timedelta(days=-131, hours=9)

# Two independent live tenants answered with this name, description and one identical id (spec: "Team admin").
TEAM_ROLE = {
    "role_id": "pid_dbtmr:1234567890123456789",
    "name": "Team",
    "description": "Manage everything and access all permissions",
}
USER_ROLE = {
    "role_id": "pid_dbtmr:1234567890123456790",
    "name": "User management",
    "description": "Add, remove and manage users and groups",
}
ROLES = (TEAM_ROLE, USER_ROLE)

Member = dict[str, Any]


def roll(*parts: object) -> int:
    """A number computed from the parts, the same on every machine and in every run."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def opaque(prefix: str, *parts: object) -> str:
    """An id as Dropbox writes it: the prefix, then 32 characters without a meaning."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=24).digest()
    return prefix + base64.urlsafe_b64encode(digest).decode("ascii")


def stamp(moment: dt.datetime) -> str:
    """Dropbox's only time format: UTC, whole seconds, literal Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_between(start: dt.datetime, end: dt.datetime, *parts: object) -> str:
    """A stamp between two moments, chosen by the parts."""
    return stamp(start + dt.timedelta(seconds=roll(*parts) % int((end - start).total_seconds())))


class Team:
    """A team with a list of members, removed ones included. Tests and routes may change them in place.

    `people` counts current members; `licensed` the licenses purchased. `first_day` is the day of the sandbox's first
    start, and set by it: the team's past is counted back from that day, and never moves. Without a sandbox it is today.
    """

    def __init__(self, name: str, domain: str, people: int, licensed: int, *, seed: int = 1, removed: int = 0) -> None:
        self.name, self.domain, self.licensed, self.seed = name, domain, licensed, seed
        self.people, self.removed = people, removed
        self.team_id = opaque("dbtid:AAD", "team", name, seed)
        self.first_day = dt.datetime.now(dt.UTC).date()
        self.past = Past()

    @cached_property
    def members(self) -> list[Member]:
        """Everyone, created at first use."""
        taken: set[str] = set()
        return [self.make_member(index, taken) for index in range(self.people + self.removed)]

    def window(self, start: int, count: int, include_removed: bool) -> tuple[list[Member], int | None]:
        """Up to `count` members from position `start`, and the position of the next one to list, if there is one.

        Positions count everybody, so that a removal between two pages hides nobody else.
        """
        after = itertools.islice(enumerate(self.members), start, None)
        listed = (place for place in after if include_removed or status_of(place[1]) != "removed")
        found = list(itertools.islice(listed, count))
        following = next(listed, None)
        return [member for _, member in found], following[0] if following else None

    def find(self, key: str, value: str) -> Member | None:
        """The member whose `team_member_id`, `external_id` or `email` this is."""
        return next((m for m in self.members if m["profile"].get(key) == value), None)

    def update_recovery(self, now: dt.datetime) -> None:
        """Let the status of every removed member say what is true now."""
        self.past.update_recovery(now)
        if now < self.past_moment(RECOVERABLE) or "members" not in vars(self):
            return
        for member in self.members:
            if status_of(member) == "removed" and not self.past.removal_of(member):
                member["profile"]["status"]["is_recoverable"] = False

    def admins(self) -> list[Member]:
        """Active team admins, who alone may connect an app."""
        return [m for m in self.members if status_of(m) == "active" and TEAM_ROLE in m["roles"]]

    def any_member(self) -> Member:
        """An active member without any role."""
        return next(m for m in self.members if status_of(m) == "active" and not m["roles"])

    def info(self) -> dict[str, Any]:
        """TeamGetInfoResult."""
        current = [m for m in self.members if status_of(m) != "removed"]
        used = sum(m["profile"]["membership_type"][".tag"] == "full" for m in current)
        return team_info(self, len(current), used)

    def make_member(self, index: int, taken: set[str] | None = None) -> Member:
        """The member at this place of the list. A mailbox that is `taken`, or may be, gets a number."""
        given, surname, display, mailbox = self._name_parts(index)
        if taken is None or mailbox in taken:
            mailbox = f"{mailbox}{index}"
        else:
            taken.add(mailbox)
        status = self._status_at(index)
        profile: dict[str, Any] = {
            "team_member_id": opaque("dbmid:AAC", self.team_id, index),
            "email": f"{mailbox}@{self.domain}",
            "email_verified": status != "invited",
            "secondary_emails": [],
            "status": {".tag": status},
            "name": {
                "given_name": given,
                "surname": surname,
                "familiar_name": given,
                "display_name": display,
                "abbreviated_name": (given[:1] + surname[:1]).upper(),
            },
            "membership_type": {".tag": "limited" if index % 41 == 40 and status == "active" else "full"},
            "groups": [f"g:{roll(self.team_id, 'group', index % 7):016x}{index % 7:016x}"],
            "member_folder_id": str(1_000_000_000 + index),
            "root_folder_id": str(1_900_000_000 + roll(self.team_id) % 1_000_000),
        }
        self._add_status_fields(profile, status, index)
        return {"profile": profile, "roles": self._roles_at(index)}

    def make_invited(self, email: str, now: dt.datetime) -> Member:
        """Somebody who was invited after the sandbox's first day, and is not in the list yet."""
        member = self.make_member(len(self.members))
        for name in ("account_id", "joined_on", "suspended_on", "external_id"):
            member["profile"].pop(name, None)
        changed = {"email": email, "email_verified": False, "status": {".tag": "invited"}, "invited_on": stamp(now)}
        member["profile"] |= {**changed, "secondary_emails": [], "membership_type": {".tag": "full"}}
        member["roles"] = []
        return member

    def _add_status_fields(self, profile: dict[str, Any], status: str, index: int) -> None:
        if status == "invited":
            profile["invited_on"] = stamp_between(
                self.past_moment(INVITED_FROM), self.past_moment(INVITED_UNTIL), self.seed, index
            )
            return
        profile["account_id"] = opaque("dbid:AAB", self.team_id, index)
        profile["joined_on"] = stamp_between(
            self.past_moment(FOUNDED), self.past_moment(LAST_JOINING), self.seed, "joined", index
        )
        profile["is_directory_restricted"] = False
        if status == "removed":
            profile["status"] |= {"is_recoverable": index % 2 == 0, "is_disconnected": False}
        if status == "suspended":
            since, until = self.past_moment(LAST_JOINING), self.past_moment(INVITED_FROM)
            profile["suspended_on"] = stamp_between(since, until, self.seed, "suspended", index)
        if index % 9 == 4:
            other = profile["email"].replace("@", "@mail.")
            profile["secondary_emails"] = [{"email": other, "is_verified": index % 2 == 0}]
        if index % 3:
            profile["external_id"] = f"emp-{index:06d}"

    def past_moment(self, since_first_day: dt.timedelta) -> dt.datetime:
        """A moment counted from the midnight of the first day."""
        return dt.datetime.combine(self.first_day, dt.time(0), tzinfo=dt.UTC) + since_first_day

    def _status_at(self, index: int) -> str:
        if index >= self.people:
            return "removed"
        if index < 8:
            return "active"
        return {3: "invited", 11: "suspended"}.get(index % 19, "active")

    def _roles_at(self, index: int) -> list[dict[str, str]]:
        return [dict(TEAM_ROLE)] if index in (0, 1, 5) else [dict(USER_ROLE)] if index == 3 else []

    def _name_parts(self, index: int) -> tuple[str, str, str, str]:
        if self.seed == 1 and index == 17:  # a spreadsheet would calculate this name if an export did not escape it
            return "=SUM(A1)", "Sheet", "=SUM(A1)", "sum.sheet"
        script = SCRIPTS[roll(self.seed, "script", index) % len(SCRIPTS)]
        given, given_ascii = script.given[roll(self.seed, "given", index) % len(script.given)]
        surname, surname_ascii = script.surnames[roll(self.seed, "surname", index) % len(script.surnames)]
        order = (surname, given) if script.surname_first else (given, surname)
        return given, surname, script.joiner.join(order), f"{given_ascii}.{surname_ascii}".lower()


class LargeTeam(Team):
    """A team of any size that creates each window of members on demand and keeps none. So nobody can be removed."""

    def __init__(self, people: int, name: str = "Very Large Company", *, seed: int = 7) -> None:
        super().__init__(name, "large.example", people, people + people // 10, seed=seed)

    def window(self, start: int, count: int, include_removed: bool) -> tuple[list[Member], int | None]:
        end = min(start + count, self.people)
        return [self.make_member(index) for index in range(start, end)], end if end < self.people else None

    def find(self, key: str, value: str) -> Member | None:
        # Searching everybody would create a million people; only the first few, the admins among them, can be found.
        return next((m for m in self._first_members() if m["profile"].get(key) == value), None)

    def admins(self) -> list[Member]:
        return [m for m in self._first_members() if m["roles"] == [TEAM_ROLE]]

    def any_member(self) -> Member:
        return next(m for m in self._first_members() if status_of(m) == "active" and not m["roles"])

    def info(self) -> dict[str, Any]:
        return team_info(self, self.people, self.people)

    def _first_members(self) -> list[Member]:
        return [self.make_member(index) for index in range(min(self.people, 50))]


def status_of(member: Member) -> str:
    """The status tag of a member."""
    return str(member["profile"]["status"][".tag"])


def team_info(team: Team, provisioned: int, used: int) -> dict[str, Any]:
    """TeamGetInfoResult, with the policies of a real answer."""

    def tags(**values: str) -> dict[str, Any]:
        return {name: {".tag": tag} for name, tag in values.items()}

    return {
        "name": team.name,
        "team_id": team.team_id,
        "num_licensed_users": team.licensed,
        "num_provisioned_users": provisioned,
        "num_used_licenses": used,
        "policies": {
            "sharing": tags(
                shared_folder_member_policy="team",
                shared_folder_join_policy="from_anyone",
                shared_link_create_policy="team_only",
                group_creation_policy="admins_only",
                shared_folder_link_restriction_policy="anyone",
                enforce_link_password_policy="optional",  # noqa: S106 - the name of a policy
                default_link_expiration_days_policy="none",
                shared_link_default_permissions_policy="default",
            ),
            **tags(
                emm_state="disabled",
                office_addin="enabled",
                suggest_members_policy="enabled",
                top_level_content_policy="admin_only",
            ),
        },
    }


def demo_teams() -> list[Team]:
    """The teams of the demo: an international trading house and a small studio."""
    return [
        Team("Nordwind Trading", "nordwind.example", 248, 300, seed=1, removed=7),
        Team("Blue Harbour Studio", "blueharbour.example", 61, 75, seed=2, removed=2),
    ]

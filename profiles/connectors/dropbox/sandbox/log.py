"""The team log: what the members did on each day. It is always the same, and grows every day.

How often somebody works, and on which days, is computed from the member. Events of a day come unsorted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from profiles.connectors.dropbox.sandbox.team import Member, Team, opaque, roll, stamp, status_of

Event = dict[str, Any]
DAY = dt.timedelta(days=1)

# Each tenth of a team is active on one day in HABITS; 0 means not since one of the STOPPED numbers of days before the
# sandbox's first day.
HABITS = (1, 1, 1, 2, 2, 3, 5, 9, 20, 0)
STOPPED = (35, 50, 80, 140, 400)

DOINGS: tuple[tuple[str, str, str], ...] = (
    ("logins", "login_success", "(logins) Signed in"),
    ("file_operations", "file_edit", "(file_operations) Edited files"),
    ("file_operations", "file_add", "(file_operations) Added files and/or folders"),
    ("file_operations", "file_preview", "(file_operations) Previewed files and/or folders"),
    ("sharing", "shared_link_create", "(sharing) Created shared link"),
    ("comments", "file_add_comment", "(comments) Added file comment"),
    ("devices", "device_change_ip_desktop", "(devices) Changed IP address associated with active desktop session"),
)


def events(team: Team, since: dt.datetime, until: dt.datetime) -> Iterator[Event]:
    """Every event since `since` and before `until`, day by day."""
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    lower, upper = stamp(since), stamp(until)
    removals = team.past.removals
    while day < until:
        for event in events_of_day(team, day.date()):
            if lower <= event["timestamp"] < upper and not (removals and _happened_away(team, event)):
                yield event
        day += DAY


Span = tuple[dt.datetime | None, dt.datetime | None]


def recorded(team: Team, span: Span, seen: Span) -> Iterator[Event]:
    """The events made by calls that happened in one span and are shown in the other; both may be open.

    A cursor goes on with what is new: also with what happened long ago and is shown only now.
    """
    for one in team.past.recorded:
        if _is_within(one.arrives, seen) and _is_within(dt.datetime.fromisoformat(one.event["timestamp"]), span):
            yield one.event


def _is_within(moment: dt.datetime, span: Span) -> bool:
    since, until = span
    return (since is None or moment >= since) and (until is None or moment < until)


def _happened_away(team: Team, event: Event) -> bool:
    """Whether the actor of an event had left the team by then, so that it never happened."""
    actor = event.get("actor") or {}
    member_id = (actor.get("user") or {}).get("team_member_id", "")
    if member_id not in team.past.removals:
        return False
    return team.past.was_away(member_id, dt.datetime.fromisoformat(event["timestamp"]))


@lru_cache(maxsize=512)
def events_of_day(team: Team, day: dt.date) -> tuple[Event, ...]:
    """One day's events, not in the order of time, as in a real log."""
    found: list[Event] = []
    for index, member in enumerate(team.members):
        found += _events_of_member(team, index, member, day)
    found += _odd_events(team, day)
    return tuple(sorted(found, key=lambda event: roll("order", event["timestamp"], event["event_type"][".tag"])))


def last_seen(team: Team, index: int, member: Member, now: dt.datetime) -> dt.datetime | None:
    """The member's latest activity of the last 40 days, as a device session shows it."""
    for back in range(40):
        for event in reversed(_events_of_member(team, index, member, (now - back * DAY).date())):
            if event["timestamp"] <= stamp(now):
                return dt.datetime.fromisoformat(event["timestamp"])
    return None


def _events_of_member(team: Team, index: int, member: Member, day: dt.date) -> list[Event]:
    if not _is_active_on(team, index, member, day):
        return []
    times = 1 + roll(team.team_id, index, day.toordinal(), "times") % 4
    found = []
    for number in range(times):
        chosen = DOINGS[roll(team.team_id, index, day.toordinal(), number, "doing") % len(DOINGS)]
        when = 7 * 3600 + roll(team.team_id, index, day.toordinal(), number, "when") % (11 * 3600)
        found.append(make_event(day, when, chosen, {".tag": "user", "user": member_log_info(member)}))
    return sorted(found, key=lambda event: str(event["timestamp"]))


def _is_active_on(team: Team, index: int, member: Member, day: dt.date) -> bool:
    profile = member["profile"]
    if team.past.first_status(member) != "active" or profile["joined_on"][:10] > day.isoformat():
        return False
    number = roll(team.seed, "habit", index)
    habit = HABITS[number % len(HABITS)]
    if not habit:
        gone = team.first_day - dt.timedelta(days=STOPPED[number // 10 % len(STOPPED)])
        return day <= gone and roll(team.team_id, index, day.toordinal()) % 3 == 0
    weekend = day.weekday() >= 5 and roll(index, day.toordinal(), "weekend") % 6
    return not weekend and roll(team.team_id, index, day.toordinal()) % habit == 0


def _odd_events(team: Team, day: dt.date) -> list[Event]:
    """Events that are nobody's use: an app, a failed sign-in, an admin signed in as a member, an outsider, no actor."""
    member = team.any_member()
    admin = team.admins()[0] if team.admins() else member
    who, number = {".tag": "user", "user": member_log_info(member)}, day.toordinal()
    app = {".tag": "app", "app": {".tag": "user_linked_app", "app_id": "dbaid:AAEsync", "display_name": "Sync Bot"}}
    stranger = {
        ".tag": "user",
        "user": {".tag": "non_team_member", "display_name": "A Guest", "email": "guest@elsewhere.example"},
    }
    found = [
        make_event(
            day, 8 * 3600 + number % 3600, ("file_operations", "file_edit", "(file_operations) Edited files"), app
        ),
        make_event(day, 9 * 3600 + number % 3600, ("logins", "login_fail", "(logins) Failed to sign in"), who),
        make_event(day, 10 * 3600 + number % 3600, DOINGS[3], stranger),
        make_event(day, 12 * 3600 + number % 3600, DOINGS[1], None),
    ]
    if number % 7 == 0:
        worn = make_event(day, 11 * 3600, DOINGS[2], who)
        worn["origin"] = {"access_method": {".tag": "sign_in_as", "session_id": opaque("dbwsid:", team.team_id)}}
        found.append(worn)
        acting = {".tag": "admin", "admin": member_log_info(admin)}
        change = (
            "members",
            "member_change_status",
            "(members) Changed member status (invited, joined, suspended, etc.)",
        )
        found.append(make_event(day, 13 * 3600, change, acting))
    return found


def matches(
    event: Event, *, account_id: str | None = None, category: str | None = None, event_type: str | None = None
) -> bool:
    """Whether an event passes the filters. An account is found as the actor, the context or a participant."""
    return (
        (account_id is None or _names(event, account_id))
        and category in (None, event["event_category"][".tag"])
        and event_type in (None, event["event_type"][".tag"])
    )


def _names(event: Event, account_id: str) -> bool:
    """Whether an event names an account. Most events have an actor only, and a log has many."""
    actor = event.get("actor")
    if actor and (actor.get("user") or actor.get("admin") or {}).get("account_id") == account_id:
        return True
    if "context" not in event and "participants" not in event:
        return False
    users = [event.get("context", {}), *(one["user"] for one in event.get("participants", ()))]
    return account_id in [user.get("account_id") for user in users]


def member_log_info(member: Member) -> dict[str, Any]:
    """TeamMemberLogInfo."""
    profile = member["profile"]
    found = {
        ".tag": "team_member",
        "display_name": profile["name"]["display_name"],
        "email": profile["email"],
        "team_member_id": profile["team_member_id"],
    }
    if account := profile.get("account_id"):
        found["account_id"] = account
    return found


def make_event(day: dt.date, second: int, doing: tuple[str, str, str], actor: dict[str, Any] | None) -> Event:
    category, kind, description = doing
    midnight = dt.datetime.combine(day, dt.time(0), tzinfo=dt.UTC)
    event: Event = {
        "timestamp": stamp(midnight + dt.timedelta(seconds=second)),
        "event_category": {".tag": category},
        "origin": {
            "geo_location": {"city": "Hamburg", "country": "DE", "ip_address": "203.0.113.7"},
            "access_method": {".tag": "end_user", "end_user": {".tag": "web"}},
        },
        "involve_non_team_member": False,
        "event_type": {".tag": kind, "description": description},
        "details": _event_details(kind),
    }
    if actor is not None:
        event["actor"] = actor
    return event


def _event_details(kind: str) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if kind in ("login_success", "login_fail"):
        extra = {"login_method": {".tag": "saml"}, "is_emm_managed": False}
    if kind == "login_fail":
        extra["error_details"] = {"user_friendly_message": "The password was wrong."}
    if kind == "member_change_status":
        extra = {"new_value": {".tag": "active"}}
    if kind == "device_change_ip_desktop":
        return {".tag": "missing_details"}
    return {".tag": f"{kind}_details", **extra}


def sessions(team: Team, now: dt.datetime) -> list[dict[str, Any]]:
    """MemberDevices of everybody who has a device. Some members only sync, and appear nowhere else."""
    found = []
    for index, member in enumerate(team.members):
        if status_of(member) != "active" or index % 3 == 2:
            continue
        seen = now - dt.timedelta(hours=5) if index % 97 == 9 else last_seen(team, index, member, now)
        entry: dict[str, Any] = {"team_member_id": member["profile"]["team_member_id"]}
        if seen:
            session = {"session_id": opaque("dbdsid:", team.team_id, index), "updated": stamp(seen)}
            desktop = {"host_name": "laptop", "client_type": {".tag": "windows"}, "client_version": "208.4.5824"}
            entry["desktop_clients"] = [
                session | desktop | {"platform": "Windows 11", "is_delete_on_unlink_supported": True}
            ]
        found.append(entry)
    return found

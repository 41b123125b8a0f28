"""The team log folded page by page to who was active on which day. No event leaves this module.

Dropbox writes times as YYYY-MM-DDTHH:MM:SSZ, so they compare as text; other spellings are brought into that form.
Events have no id, come unsorted, and any field but the time and the kind may be missing.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from functools import lru_cache
from typing import Any

import msgspec

from profiles.connectors.base import ActivityPage, Use, plain
from profiles.connectors.dropbox.activity_types import ACTORS, CATEGORIES, NO_USE, SIGN_IN_AS
from profiles.connectors.dropbox.members import Cursor

KIND, EMAIL, IDENTIFIER = 80, 320, 128
STAMP = "%Y-%m-%dT%H:%M:%SZ"
_CLOCK = re.compile(r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ").fullmatch


class _Tag(msgspec.Struct, gc=False):
    tag: str = msgspec.field(name=".tag")


class _User(msgspec.Struct, gc=False):
    team_member_id: str | None = None
    account_id: str | None = None
    email: str | None = None


class _Actor(msgspec.Struct, gc=False):
    tag: str = msgspec.field(name=".tag")
    user: _User | None = None
    admin: _User | None = None


class _Origin(msgspec.Struct, gc=False):
    access_method: _Tag | None = None


class Event(msgspec.Struct, gc=False):
    """TeamEvent, as far as it is looked at."""

    timestamp: str
    event_category: _Tag
    event_type: _Tag
    actor: _Actor | None = None
    origin: _Origin | None = None


class Log(msgspec.Struct, gc=False):
    """GetTeamEventsResult."""

    events: list[Event]
    has_more: bool
    cursor: Cursor | None = None


class _LooseLog(msgspec.Struct, gc=False):
    events: list[Any]
    has_more: bool
    cursor: Cursor | None = None


class _Session(msgspec.Struct, gc=False):
    updated: str | None = None


class _MemberDevices(msgspec.Struct, gc=False):
    team_member_id: str
    web_sessions: list[_Session] | None = None
    desktop_clients: list[_Session] | None = None
    mobile_clients: list[_Session] | None = None


class Devices(msgspec.Struct, gc=False):
    """ListMembersDevicesResult."""

    devices: list[_MemberDevices]
    has_more: bool
    cursor: Cursor | None = None


decoder = msgspec.json.Decoder(Log)
_devices = msgspec.json.Decoder(Devices)


def page(body: bytes, latest: str) -> ActivityPage:
    """An answer of the log, folded. Events after `latest` (a stamp; no vendor knows the future) are set aside.

    Raises msgspec.ValidationError or ValueError if it is no log at all.
    """
    try:
        log = decoder.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        return _page_with_odd_events(body, latest)
    folded = _Fold(latest)
    folded.add(log.events)
    if folded.has_odd_times:
        folded = _Fold(latest)
        folded.add_one_by_one(log.events)
    return folded.page(log.cursor or "", log.has_more)


class _Fold:
    """Uses by account and day, with the counts of everything read."""

    def __init__(self, latest: str) -> None:
        self.bound = latest
        self.uses: dict[tuple[str, str, str, str], list[Any]] = {}
        self.counters: Counter[str] = Counter()
        self.unknown: set[str] = set()
        self.newest = ""

    def add(self, events: list[Event]) -> None:
        """The hot loop of a pull: once per event, so it is flat and knows only text."""
        uses, newest = self.uses, self.newest
        counted = not_use = not_member = worn = no_actor = unknown = 0
        for event in events:
            when, actor = event.timestamp, event.actor
            if when > newest:
                newest = when
            if actor is None or actor.tag not in ACTORS:
                if actor is None:
                    no_actor += 1
                else:
                    not_member += 1
                continue
            kind = event.event_type.tag
            if kind in NO_USE:
                not_use += 1
                continue
            origin = event.origin
            if origin is not None and origin.access_method is not None and origin.access_method.tag == SIGN_IN_AS:
                worn += 1
                continue
            user = actor.user or actor.admin
            if user is None:
                no_actor += 1
                continue
            if event.event_category.tag not in CATEGORIES:
                unknown += 1
                self.unknown.add(f"{event.event_category.tag}: {kind}")
            member = user.team_member_id
            key = (member, "", "", when[:10]) if member else ("", user.account_id or "", user.email or "", when[:10])
            held = uses.get(key)
            if held is None:
                uses[key] = [1, when, kind]
            else:
                held[0] += 1
                if when > held[1] or (when == held[1] and kind > held[2]):
                    held[1], held[2] = when, kind
            counted += 1
        self.newest = newest
        found = {"counted": counted, "not_use": not_use, "not_member": not_member, "signed_in_as": worn}
        self.counters.update({"read": len(events), "no_actor": no_actor, "unknown": unknown, **found})

    def add_one_by_one(self, events: list[Event]) -> None:
        """As `add`, for a page with times that are not as promised: brought into form, or set aside."""
        fit = []
        for event in events:
            if stamp := _stamp(event.timestamp):
                event.timestamp = stamp
            if stamp and stamp <= self.bound:
                fit.append(event)
            else:
                self.set_aside()
        self.add(fit)

    def set_aside(self) -> None:
        self.counters.update({"read": 1, "set_aside": 1})

    @property
    def has_odd_times(self) -> bool:
        """Whether a time is in another form or in the future; every use carries the greatest of its day."""
        if self.newest > self.bound:
            return True
        return not all(_CLOCK(held[1], 10) and _is_day(held[1][:10]) for held in self.uses.values())

    def page(self, cursor: str, has_more: bool) -> ActivityPage:
        return ActivityPage(
            uses=[
                Use(
                    external_id=plain(member, IDENTIFIER),
                    account_id=plain(account, IDENTIFIER),
                    email=plain(email, EMAIL),
                    day=day,
                    events=held[0],
                    latest=held[1],
                    kind=plain(held[2], KIND),
                )
                for (member, account, email, day), held in self.uses.items()
            ],
            counters=dict(self.counters),
            newest=self.newest,
            cursor=cursor,
            has_more=has_more,
            unknown_kinds=[plain(kind, KIND) for kind in sorted(self.unknown)[:20]],
        )


@lru_cache(maxsize=1024)
def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _stamp(text: str) -> str:
    """The time in Dropbox's own form; empty for what is no time."""
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return ""
        return moment.astimezone(dt.UTC).strftime(STAMP) if moment.year >= 1000 else ""
    except (ValueError, OverflowError):
        return ""


def _page_with_odd_events(body: bytes, latest: str) -> ActivityPage:
    loose = msgspec.convert(json.loads(body.decode("utf-8", "replace")), _LooseLog)
    folded, fit = _Fold(latest), []
    for record in loose.events:
        try:
            fit.append(msgspec.convert(record, Event))
        except (ValueError, RecursionError):
            folded.set_aside()
    folded.add_one_by_one(fit)
    return folded.page(loose.cursor or "", loose.has_more)


def devices(body: bytes, latest: str) -> ActivityPage:
    """The latest session activity per member, as uses of the signal's own kind; several per member are normal."""
    told = _devices.decode(body)
    uses = []
    for member in told.devices:
        for kind, sessions in (
            ("web_session", member.web_sessions),
            ("desktop_client", member.desktop_clients),
            ("mobile_client", member.mobile_clients),
        ):
            stamps = [stamp for one in sessions or () if one.updated and (stamp := _stamp(one.updated)) <= latest]
            if newest := max(stamps, default=""):
                uses.append(
                    Use(external_id=plain(member.team_member_id, 128), day=newest[:10], latest=newest, kind=kind)
                )
    read = len(told.devices)
    return ActivityPage(uses=uses, counters={"read": read}, cursor=told.cursor or "", has_more=told.has_more)

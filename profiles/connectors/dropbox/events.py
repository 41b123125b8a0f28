"""Fold the team log page by page to who was active on which day. No event leaves this module.

Events have no id and come unsorted, and every field but the time and the kind may be missing. An event in the future is
set aside, because it would keep its seat active for ever, and so is one from before the year 2000. Events of the same
second, kind and actor count once, since the vendor may send an event, or a page, twice. An actor of a kind we do not
know may be somebody's use: the counters say how many there were, and the kinds are named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import partial
from typing import Annotated, Any

import msgspec

from profiles.connectors.base import ActivityPage, DayUse, Uses, plain
from profiles.connectors.dropbox.activity_types import (
    ACTORS,
    CATEGORIES,
    NO_USE,
    OTHER_ACTORS,
    OUTSIDERS,
    SIGN_IN_AS,
)
from profiles.connectors.dropbox.members import Cursor, Id, parse_number
from profiles.connectors.moments import EARLIEST, possible
from profiles.connectors.text import identity

UNKNOWN, EMAIL, IDENTIFIER = 120, 320, 128
MOST_UNKNOWN = 20
NAMELESS = ("", "")
STAMP = "%Y-%m-%dT%H:%M:%SZ"
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class _Tag(msgspec.Struct, gc=False):
    tag: str = msgspec.field(name=".tag")


class _User(msgspec.Struct, gc=False):
    tag: str | None = msgspec.field(name=".tag", default=None)
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
    """TeamEvent, with the fields we read."""

    timestamp: _Moment
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
    updated: _Moment | None = None


class _MemberDevices(msgspec.Struct, gc=False):
    team_member_id: Id
    web_sessions: list[_Session] | None = None
    desktop_clients: list[_Session] | None = None
    mobile_clients: list[_Session] | None = None


class Devices(msgspec.Struct, gc=False):
    """ListMembersDevicesResult. Each record is decoded by itself, so that only an odd one is set aside."""

    devices: list[Any]
    has_more: bool
    cursor: Cursor | None = None


decoder = msgspec.json.Decoder(Log)
_devices = msgspec.json.Decoder(Devices)


def page(body: bytes, bound: dt.datetime) -> ActivityPage:
    """Decode one answer of the team log. Folding it sets aside events later than `bound`.

    Raises msgspec.ValidationError or ValueError if the body is not a log at all.
    """
    try:
        log = decoder.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        return _odd_page(body, bound)
    fold = partial(_fold_events, log.events, bound)
    return ActivityPage(read=len(log.events), fold=fold, cursor=log.cursor or "", has_more=log.has_more)


def _fold_events(events: list[Event], bound: dt.datetime, into: Uses) -> None:  # noqa: C901, PLR0912, PLR0915
    """The hot loop of a pull, run once per event: keep it flat, and create only objects that are kept."""
    into.repeats.lasting = partial(_lasting_marks, events)
    if into.repeats.earlier:
        events = _leave_out_earlier(events, into)
    held, names, beside, utc = into.held, into.names, into.beside, dt.UTC
    marks, before = into.repeats.now, into.repeats.before
    not_use = not_member = worn = no_actor = unknown_actor = unknown = repeated = set_aside = number = 0
    for event in events:
        actor = event.actor
        if actor is None:
            no_actor += 1
            beside[event.timestamp.toordinal(), "no_actor"] += 1
            continue
        if actor.tag not in ACTORS:
            if actor.tag in OTHER_ACTORS:
                not_member += 1
            else:
                unknown_actor += 1
                beside[event.timestamp.toordinal(), "unknown_actor"] += 1
                _name_unknown(into.unknown_actors, actor.tag)
            continue
        kind = event.event_type.tag
        if kind in NO_USE:
            not_use += 1
            beside[event.timestamp.toordinal(), "not_use"] += 1
            continue
        user = actor.user or actor.admin
        if user is None:
            key: str | tuple[str, str] = NAMELESS
        else:
            key = user.team_member_id if user.team_member_id in names else _key(user)
        if user is None or key == NAMELESS:
            if user is not None and user.tag in OUTSIDERS:
                not_member += 1
            else:
                unknown_actor += 1
                beside[event.timestamp.toordinal(), "unknown_actor"] += 1
                _name_unknown(into.unknown_actors, f"{actor.tag} without an id or an address")
            continue
        origin = event.origin
        if (
            origin is not None
            and origin.access_method is not None
            and origin.access_method.tag == SIGN_IN_AS
            and actor.tag == "user"
        ):
            worn += 1
            continue
        when = event.timestamp
        if when > bound or when < EARLIEST:
            set_aside += 1
            beside[number, "set_aside"] += 1  # its own day is none: that of its neighbor
            continue
        if when.tzinfo is not utc:
            when = when.astimezone(utc)
        number = when.toordinal()
        mark = hash((number, when.hour, when.minute, when.second, kind, key))
        if mark in marks or mark in before:
            repeated += 1
            continue
        marks.add(mark)
        if event.event_category.tag not in CATEGORIES:
            unknown += 1
            _name_unknown(into.unknown_kinds, f"{event.event_category.tag}: {kind}")
        day = held.get(number)
        if day is None:
            day = held[number] = {}
        found = day.get(key)
        if found is None:
            day[key] = DayUse(1, when, kind)
            if key not in names and isinstance(key, str):
                names[key] = _seatless_key(user)
        else:
            found.events += 1
            if when > found.latest or (when == found.latest and kind > found.kind):
                found.latest, found.kind = when, kind
    into.repeats.turn()
    reasons = {
        "not_use": not_use,
        "not_member": not_member,
        "signed_in_as": worn,
        "no_actor": no_actor,
        "unknown_actor": unknown_actor,
        "repeated": repeated,
        "set_aside": set_aside,
    }
    counted = len(events) - sum(reasons.values())
    into.counters.update(read=len(events), counted=counted, unknown=unknown, **reasons)


def _leave_out_earlier(events: list[Event], into: Uses) -> list[Event]:
    """The events that another worker has not counted on its last page."""
    fresh = [event for event in events if _lasting_mark(event) not in into.repeats.earlier]
    repeated = len(events) - len(fresh)
    into.counters.update(read=repeated, repeated=repeated)
    return fresh


def _lasting_marks(events: list[Event]) -> list[str]:
    return [mark for event in events if (mark := _lasting_mark(event))]


def _lasting_mark(event: Event) -> str:
    """Time, kind and actor of an event in a form that another process understands; empty without an actor."""
    user = event.actor and (event.actor.user or event.actor.admin)
    if not user:
        return ""
    key = (int(event.timestamp.timestamp()), event.event_type.tag, user.team_member_id or _seatless_key(user))
    return hashlib.blake2b(repr(key).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _name_unknown(names: set[str], name: str) -> None:
    if len(names) < MOST_UNKNOWN:
        names.add(plain(name, UNKNOWN))


def _key(user: _User) -> str | tuple[str, str]:
    """The member id of an actor; its account id and address if it has none. A damaged id is none."""
    return identity(user.team_member_id or "", IDENTIFIER) or _seatless_key(user)


def _seatless_key(user: _User) -> tuple[str, str]:
    """The account id of an actor, and the e-mail address at that time."""
    return identity(user.account_id or "", IDENTIFIER), identity(user.email or "", EMAIL)


def _odd_page(body: bytes, bound: dt.datetime) -> ActivityPage:
    """Decode a page event by event, to set aside only those of another shape.

    Such an event counts for its own day, or, if that cannot be read, for the day of the event before it.
    """
    loose = msgspec.convert(json.loads(body.decode("utf-8", "replace"), parse_int=parse_number), _LooseLog)
    fit: list[Event] = []
    odd: list[int] = []
    day = 0
    for record in loose.events:
        try:
            fit.append(msgspec.convert(record, Event))
            day = fit[-1].timestamp.toordinal()
        except (ValueError, RecursionError):
            odd.append(_day_of_odd(record, bound) or day)

    def fold(into: Uses) -> None:
        into.counters.update(read=len(odd), set_aside=len(odd))
        into.beside.update((one, "set_aside") for one in odd)
        _fold_events(fit, bound, into)

    return ActivityPage(read=len(loose.events), fold=fold, cursor=loose.cursor or "", has_more=loose.has_more)


def _day_of_odd(record: Any, bound: dt.datetime) -> int:
    """The day of an event that cannot be read otherwise; 0 without a possible one."""
    try:
        when = msgspec.convert(record["timestamp"], _Moment)
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
    return when.toordinal() if EARLIEST <= when <= bound else 0


def devices_page(body: bytes, bound: dt.datetime) -> ActivityPage:
    """Decode a page of device sessions. The kind of activity is the kind of the device used last."""
    try:
        listing = _devices.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        listing = msgspec.convert(json.loads(body.decode("utf-8", "replace"), parse_int=parse_number), Devices)
    fold = partial(_fold_devices, listing.devices, bound)
    return ActivityPage(read=len(listing.devices), fold=fold, cursor=listing.cursor or "", has_more=listing.has_more)


def _fold_devices(found: list[Any], bound: dt.datetime, into: Uses) -> None:
    for record in found:
        try:
            member = msgspec.convert(record, _MemberDevices)
            seen = _session_times(member, bound)
        except (ValueError, RecursionError):
            into.counters["set_aside"] += 1
            continue
        if seen:
            latest, kind = max(seen)
            into.held.setdefault(latest.toordinal(), {})[member.team_member_id] = DayUse(1, latest, kind)


def _session_times(member: _MemberDevices, bound: dt.datetime) -> list[tuple[dt.datetime, str]]:
    kinds = {
        "web_session": member.web_sessions,
        "desktop_client": member.desktop_clients,
        "mobile_client": member.mobile_clients,
    }
    return [
        (updated, kind)
        for kind, sessions in kinds.items()
        for one in sessions or ()
        if (updated := possible(one.updated)) and updated <= bound
    ]

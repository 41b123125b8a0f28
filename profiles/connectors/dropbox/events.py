"""Fold the team log page by page to who was active on which day. No event leaves this module.

Events have no id and come unsorted, and every field but the time and the kind may be missing. An event in the future is
set aside, because it would keep its seat active for ever, and so is one from before the year 2000. Events of the same
moment, kind and actor count once, since the vendor may send an event, or a page, twice. An actor of a kind we do not
know may be somebody's use: the counters say how many there were, and the kinds are named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import partial
from typing import Annotated, Any

import msgspec

from profiles.connectors.activity import IDENTIFIER, name_of
from profiles.connectors.base import ActivityPage, DayUse, Uses, plain
from profiles.connectors.dropbox.activity_types import (
    ACTORS,
    CATEGORIES,
    NO_USE,
    OTHER_ACTORS,
    OUTSIDERS,
    Access,
    Account,
    Actor,
    Category,
)
from profiles.connectors.dropbox.members import Cursor, decode_loosely
from profiles.connectors.moments import EARLIEST
from profiles.connectors.text import identity

UNKNOWN = 120
MOST_UNKNOWN = 20
NAMELESS = ("", "")
BESIDE = ("no_actor", "unknown_actor", "not_use", "set_aside")  # reasons that may hide a member's use
REASONS = (*BESIDE, "not_member", "signed_in_as")
STAMP = "%Y-%m-%dT%H:%M:%SZ"
_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class _Tag(msgspec.Struct, gc=False):
    tag: str = msgspec.field(name=".tag")


class _Category(msgspec.Struct, gc=False):
    tag: Category = msgspec.field(name=".tag")


class _Access(msgspec.Struct, gc=False):
    tag: Access = msgspec.field(name=".tag")


class _User(msgspec.Struct, gc=False):
    tag: Account | None = msgspec.field(name=".tag", default=None)
    team_member_id: str | None = None
    account_id: str | None = None
    email: str | None = None


class _Actor(msgspec.Struct, gc=False):
    tag: Actor = msgspec.field(name=".tag")
    user: _User | None = None
    admin: _User | None = None


class _Origin(msgspec.Struct, gc=False):
    access_method: _Access | None = None


class Event(msgspec.Struct, gc=False):
    """TeamEvent, with the fields we read."""

    timestamp: _Moment
    event_category: _Category
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


decoder = msgspec.json.Decoder(Log)


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


class _Apart:
    """The events of one page that are nobody's use, counted by the reason."""

    def __init__(self, bound: dt.datetime, into: Uses) -> None:
        self.counted = dict.fromkeys(REASONS, 0)
        self._bound, self._into = bound, into

    def takes(self, event: Event, neighbor: int) -> bool:
        """Count an event that is nobody's use. False for every other. `neighbor` is the day of an event before it."""
        reason = _why_apart(event, self._bound)
        if not reason:
            return False
        self.counted[reason] += 1
        if reason in BESIDE:
            day = neighbor if reason == "set_aside" else event.timestamp.toordinal()  # an impossible day is none
            self._into.beside[day, reason] += 1
        if reason == "unknown_actor" and event.actor:
            tag = event.actor.tag
            name = f"{tag.value} without an id or an address" if tag in ACTORS else tag.value
            _name_unknown(self._into.unknown_actors, name)
        return True


def _why_apart(event: Event, bound: dt.datetime) -> str:
    """Why an event is nobody's use, as the name of the counter; empty if it is somebody's."""
    actor, origin = event.actor, event.origin
    if actor is None:
        return "no_actor"
    if actor.tag not in ACTORS:
        return "not_member" if actor.tag in OTHER_ACTORS else "unknown_actor"
    if event.event_type.tag in NO_USE:
        return "not_use"
    user = actor.user or actor.admin
    if user is None or _key(user) == NAMELESS:
        return "not_member" if user is not None and user.tag in OUTSIDERS else "unknown_actor"
    if actor.tag is Actor.USER and origin and origin.access_method and origin.access_method.tag is Access.SIGN_IN_AS:
        return "signed_in_as"
    return "" if EARLIEST <= event.timestamp <= bound else "set_aside"


def _fold_events(events: list[Event], bound: dt.datetime, into: Uses) -> None:  # noqa: C901
    """The hot loop of a pull, run once per event: keep it flat, and create only objects that are kept.

    One condition finds what most events are: use by a user, of a kind that this page had before. Only the others are
    looked at from all sides.
    """
    repeats = into.repeats
    repeats.lasting = partial(_lasting_marks, events)
    if repeats.earlier:
        events = _leave_out_earlier(events, into)
    apart, held, names, utc = _Apart(bound, into), into.held, into.names, dt.UTC
    marks, before, remember = repeats.now, repeats.before, repeats.now.add
    a_user, sign_in_as = Actor.USER, Access.SIGN_IN_AS
    usual: set[str] = set()  # the kinds of use on this page that are known
    accounts: dict[str | tuple[str, str], DayUse] = {}
    last_sure = bound.astimezone(utc).toordinal() - 1
    today = number = unknown = repeated = 0
    for event in events:
        actor = event.actor
        kind = event.event_type.tag
        origin = event.origin
        if (
            actor is None
            or actor.tag is not a_user
            or (user := actor.user) is None
            or kind not in usual
            or (origin is not None and (access := origin.access_method) is not None and access.tag is sign_in_as)
        ):
            if apart.takes(event, number) or actor is None or (user := actor.user or actor.admin) is None:
                continue
            if event.event_category.tag.value in CATEGORIES:
                usual.add(kind)
            else:
                unknown += 1
                _name_unknown(into.unknown_kinds, f"{event.event_category.tag.value}: {kind}")
        when = event.timestamp
        if when.tzinfo is not utc or when.toordinal() != today:
            if not EARLIEST <= when <= bound and apart.takes(event, number):
                continue
            when = when.astimezone(utc)
            number = when.toordinal()
            today = number if number <= last_sure else 0  # on the day of the bound every event is compared with it
            accounts = held.get(number) or {}
        key: Any = user.team_member_id
        found = accounts.get(key)
        if found is None and key not in names:
            key = _key(user)
            if isinstance(key, str):
                names[key] = user
            elif key == NAMELESS:
                apart.takes(event, number)
                continue
            else:
                found = accounts.get(key)
        mark = hash((number, when.time(), kind, key))
        if mark in marks or mark in before:
            repeated += 1
            unknown -= kind not in usual
            continue
        remember(mark)
        if found is None:
            accounts[key] = DayUse(1, when, kind)
            held[number] = accounts
        else:
            found.events += 1
            if when >= found.latest and (when > found.latest or kind > found.kind):
                found.latest, found.kind = when, kind
    repeats.turn()
    counted = len(events) - repeated - sum(apart.counted.values())
    into.counters.update(read=len(events), counted=counted, unknown=unknown, repeated=repeated, **apart.counted)


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
    key = (int(event.timestamp.timestamp()), event.event_type.tag, user.team_member_id or name_of(user))
    return hashlib.blake2b(repr(key).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _name_unknown(names: set[str], name: str) -> None:
    if len(names) < MOST_UNKNOWN:
        names.add(plain(name, UNKNOWN))


def _key(user: _User) -> str | tuple[str, str]:
    """The member id of an actor; its account id and address if it has none. A damaged id is none."""
    return identity(user.team_member_id or "", IDENTIFIER) or name_of(user)


def _odd_page(body: bytes, bound: dt.datetime) -> ActivityPage:
    """Decode a page event by event, to set aside only those of another shape.

    Such an event counts for its own day, or, if that cannot be read, for the day of the event before it.
    """
    loose = decode_loosely(body, _LooseLog)
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

"""Ask the team log about a few accounts, now: their own use, whether they came back, and where their files are.

The log is asked by account, or by kind of event, and without an end, so that an event of this second is not cut off by
a clock that is slow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec

from profiles.connectors.activity import name_of
from profiles.connectors.base import ActivityPage, DayUse, ListingReset, Page, Seat, Uses
from profiles.connectors.dropbox import events
from profiles.connectors.dropbox.client import DropboxClient
from profiles.connectors.dropbox.members import Cursor, decode_loosely
from profiles.connectors.dropbox.paging import count_events, count_records, walk_pages
from profiles.connectors.transport import Answer

LOG = ("team_log/get_events", "team_log/get_events/continue")
A_PAGE = 1000
READINGS = 3
TRANSFERRED = "member_transfer_account_contents"
STATUS_CHANGED = "member_change_status"
HERE = ("active", "invited", "suspended")


def recent(client: DropboxClient, seats: Sequence[Seat], since: dt.datetime, bound: dt.datetime) -> Uses:
    """The use of these seats since then, each keyed by its seat's id, and which of them came back.

    Events of use later than `bound` are set aside.

    Dropbox finds an account as actor, context or participant of an event; only what an account did itself is its use. A
    seat without an account id is left out: the log cannot be asked about it. Raises Refused (`account_id_not_found`)
    for an account that Dropbox does not know: then nothing is known about its use.
    """
    found = Uses()
    for seat in seats:
        if seat.account_id:
            _add_own(seat, _read_account(client, seat, since, bound), found)
    return found


def _read_account(client: DropboxClient, seat: Seat, since: dt.datetime, bound: dt.datetime) -> Uses:
    """Everything about one seat's account. A reading whose cursor gets lost begins again, as it is short."""
    start = {"limit": A_PAGE, "account_id": seat.account_id, "time": {"start_time": _stamp(since)}}
    for _ in range(READINGS - 1):
        try:
            return _fold_log(client, start, seat, bound)
        except ListingReset:
            continue
    return _fold_log(client, start, seat, bound)


def _fold_log(client: DropboxClient, start: dict[str, Any], seat: Seat, bound: dt.datetime) -> Uses:
    read, changes = Uses(), list[_Event]()

    def decode(answer: Answer) -> ActivityPage:
        page = events.page(answer.body, bound)
        changes.extend(_changes_of_status(answer.body))
        return page

    for page in walk_pages(client, LOG, start, decode, count_events):
        page.fold(read)
    if back := [event.timestamp for event in changes if _came_back(event, {seat.external_id})]:
        read.came_back[seat.external_id] = max(back)
    return read


def _changes_of_status(body: bytes) -> Iterator[_Event]:
    """The changes of status on a page that was decoded as a log before. One that cannot be read is left out."""
    if STATUS_CHANGED.encode() in body:
        log = decode_loosely(body, dict[str, Any])
        yield from _readable(log["events"], STATUS_CHANGED)


def _add_own(seat: Seat, read: Uses, found: Uses) -> None:
    """Add what the seat's own account did. In doubt an event is its own: a license is cheaper than a person's work."""
    found.counters.update(read.counters)
    found.unknown_kinds |= read.unknown_kinds
    found.unknown_actors |= read.unknown_actors
    found.came_back |= read.came_back
    addresses = {address.casefold() for address in (seat.email, *seat.secondary_emails) if address}
    for number, accounts in read.held.items():
        for key, use in accounts.items():
            account, address = name_of(read.names[key]) if isinstance(key, str) else key
            by_address = not isinstance(key, str) and not account and address.casefold() in addresses
            if key == seat.external_id or account == seat.account_id or by_address:
                _add_use(found, number, seat, use)


def _add_use(found: Uses, number: int, seat: Seat, use: DayUse) -> None:
    held = found.held.setdefault(number, {}).setdefault(seat.external_id, use)
    if held is not use:
        held.events += use.events
        held.latest, held.kind = max((held.latest, held.kind), (use.latest, use.kind))


class _Named(msgspec.Struct):
    tag: str = msgspec.field(name=".tag", default="")
    team_member_id: str | None = None


class _Participant(msgspec.Struct):
    user: _Named | None = None


class _Details(msgspec.Struct):
    new_value: _Named | None = None


class _Event(msgspec.Struct):
    """A TeamEvent, as far as it says what happened to whom."""

    timestamp: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    event_type: _Named
    context: _Named | None = None
    participants: list[_Participant] | None = None
    details: _Details | None = None

    def named(self, wanted: set[str]) -> set[str]:
        """Those of the wanted whom it names as participants."""
        users = (one.user for one in self.participants or ())
        return {user.team_member_id for user in users if user is not None and user.team_member_id} & wanted


class _Log(msgspec.Struct):
    """GetTeamEventsResult. Each event is decoded by itself, so that an odd one does not hide the others."""

    events: list[Any]
    has_more: bool
    cursor: Cursor | None = None


def finished(client: DropboxClient, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
    """Those of these accounts whose files were handed over since then, as the log says.

    Whether Dropbox names the removed account as the event's context or as a participant is not documented. The context
    counts first. Several of these accounts as participants leave open which one it was, and count for none.
    """
    found = (_handed_over(event, set(external_ids)) for event in _events_of(client, TRANSFERRED, since))
    return set().union(*found)


def returned(client: DropboxClient, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
    """Those of these accounts whose status became that of a member since then, as the log says.

    That is a restoring, an invitation or another way back. Whoever is named counts: in doubt somebody came back.
    """
    found = (_came_back(event, set(external_ids)) for event in _events_of(client, STATUS_CHANGED, since))
    return set().union(*found)


def _events_of(client: DropboxClient, kind: str, since: dt.datetime) -> Iterator[_Event]:
    """The events of one kind since then. One that cannot be read is left out."""
    start = {"limit": A_PAGE, "event_type": {".tag": kind}, "time": {"start_time": _stamp(since)}}
    for page in walk_pages(client, LOG, start, _read_log, count_records):
        for event in _readable(page.items, kind):
            if event.timestamp >= since.replace(microsecond=0):
                yield event


def _readable(records: Iterable[Any], kind: str) -> Iterator[_Event]:
    for record in records:
        try:
            event = msgspec.convert(record, _Event)
        except (ValueError, RecursionError):
            continue
        if event.event_type.tag == kind:
            yield event


def _read_log(answer: Answer) -> Page:
    log = msgspec.json.decode(answer.body, type=_Log)
    return Page(items=log.events, cursor=log.cursor or "", has_more=log.has_more)


def _handed_over(event: _Event, wanted: set[str]) -> set[str]:
    """Whose transfer an event tells of: one of the wanted, or nobody."""
    if event.context is not None and event.context.team_member_id in wanted:
        return {event.context.team_member_id}
    named = event.named(wanted)
    return named if len(named) == 1 else set()


def _came_back(event: _Event, wanted: set[str]) -> set[str]:
    """Who of the wanted is a member since the event. One without a new status may be anything, so it counts."""
    status = event.details.new_value if event.details else None
    if status is not None and status.tag not in HERE:
        return set()
    context = {event.context.team_member_id or ""} if event.context else set()
    return event.named(wanted) | (context & wanted)


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime(events.STAMP)

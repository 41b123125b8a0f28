"""Fold the device sessions of members to when each was used last."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Annotated, Any

import msgspec

from profiles.connectors.base import ActivityPage, DayUse, Uses
from profiles.connectors.dropbox.members import Cursor, Id, decode_loosely
from profiles.connectors.moments import possible

_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


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


_decoder = msgspec.json.Decoder(Devices)


def page(body: bytes, bound: dt.datetime) -> ActivityPage:
    """Decode a page of device sessions. The kind of activity is the kind of the device used last."""
    try:
        listing = _decoder.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
        listing = decode_loosely(body, Devices)
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

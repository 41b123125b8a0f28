"""What Dropbox says about some accounts now.

`get_info_v2` answers `id_not_found` for an id that is not "a valid team member" (Dropbox's SDK), and whether it calls a
removed member valid is not documented. Only the listing with `include_removed` is promised to name removed members. So
it is read, once for all ids, when `get_info_v2` does not know somebody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from profiles.connectors.base import Look, Page, ProtocolError, plain
from profiles.connectors.dropbox import members
from profiles.connectors.dropbox.client import REQUEST_ID_HEADER, DropboxClient
from profiles.connectors.dropbox.paging import count_records, walk_pages
from profiles.connectors.transport import Answer

INFO = "team/members/get_info_v2"
LISTING = ("team/members/list_v2", "team/members/list/continue_v2")
EVERYBODY = {"limit": 1000, "include_removed": True}
# Dropbox names no limit for one call of get_info_v2. An answer of this many is far below the limit of bytes.
IDS_A_CALL = 200
STATES = {"active": "present", "invited": "present", "suspended": "present"}


class _Infos(msgspec.Struct):
    """MembersGetInfoV2Result. Each record is decoded by itself, so that an odd one does not hide the others."""

    members_info: list[Any]


class _Removed(msgspec.Struct):
    is_recoverable: bool | None = None


def look(client: DropboxClient, external_ids: Sequence[str]) -> list[Look]:
    """What Dropbox says about these accounts now, in their order.

    An account that no listing names is gone. An account whose record cannot be read is unknown. Raises ProtocolError
    for a listing that names nobody at all, since a team has at least its admin.
    """
    found: dict[str, Look] = {}
    wanted = list(dict.fromkeys(external_ids))
    for start in range(0, len(wanted), IDS_A_CALL):
        found.update(_ask_for(client, wanted[start : start + IDS_A_CALL]))
    if missing := [one for one in wanted if one not in found]:
        found.update(_find_listed(client, missing))
    return [found[one] for one in external_ids]


def _ask_for(client: DropboxClient, ids: list[str]) -> dict[str, Look]:
    argument = {"members": [{".tag": "team_member_id", "team_member_id": one} for one in ids]}
    records, request_id = client.call(INFO, argument, _read_infos)
    looks = (_look_at(record, request_id) for record in records if not _is_not_found(record))
    return {one.external_id: one for one in looks if one.external_id in ids}


def _read_infos(answer: Answer) -> tuple[list[Any], str]:
    return msgspec.json.decode(answer.body, type=_Infos).members_info, _request_id_of(answer)


def _is_not_found(record: Any) -> bool:
    return isinstance(record, dict) and record.get(".tag") == "id_not_found"


def _request_id_of(answer: Answer) -> str:
    return plain(answer.headers.get(REQUEST_ID_HEADER, ""), 200)


def _look_at(record: Any, request_id: str) -> Look:
    """One TeamMemberInfoV2. Of one that cannot be read, only the id is told; its state is unknown."""
    try:
        seat = members.seat(msgspec.convert(record, members.Member))
    except (ValueError, RecursionError):
        return Look(external_id=members.id_of(record), state="unknown", request_id=request_id)
    state, undoable = STATES.get(seat.status, "unknown"), None
    if seat.status == "removed":
        undoable = _is_recoverable(record)
        state = "gone" if undoable is False else "withdrawn"
    return Look(external_id=seat.external_id, state=state, seat=seat, undoable=undoable, request_id=request_id)


def _is_recoverable(record: Any) -> bool | None:
    """What the RemovedStatus says; None where it does not say."""
    try:
        return msgspec.convert(record["profile"]["status"], _Removed).is_recoverable
    except msgspec.ValidationError:
        return None


def _find_listed(client: DropboxClient, missing: list[str]) -> dict[str, Look]:
    found: dict[str, Look] = {}
    listed = nameless = 0
    request_id = ""
    for page in walk_pages(client, LISTING, EVERYBODY, _read_listing, count_records):
        request_id = page.request_id
        listed += len(page.items)
        for record in page.items:
            external_id = members.id_of(record)
            nameless += not external_id
            if external_id in missing:
                found[external_id] = _look_at(record, request_id)
    if not listed:
        raise ProtocolError("Dropbox's list of members is empty, so it says nothing about anybody.")
    # A record that does not say whose it is may be of any account that was not found.
    state = "unknown" if nameless else "gone"
    absent = (Look(external_id=one, state=state, request_id=request_id) for one in missing if one not in found)
    return found | {one.external_id: one for one in absent}


def _read_listing(answer: Answer) -> Page:
    """A page of records that are still as Dropbox sent them, because a seat does not say `is_recoverable`."""
    return members.raw_page(answer.body, _request_id_of(answer))

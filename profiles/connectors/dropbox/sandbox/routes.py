"""The API routes: what each needs and what it answers. A new route needs one function and one line in the table."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

from profiles.connectors.dropbox.sandbox import arguments, log
from profiles.connectors.dropbox.sandbox.arguments import Field
from profiles.connectors.dropbox.sandbox.calls import Call, Route, api_error
from profiles.connectors.dropbox.sandbox.messages import Response, as_json
from profiles.connectors.dropbox.sandbox.removal import REMOVAL_ROUTES
from profiles.connectors.dropbox.sandbox.team import ROLES, status_of

DEVICES_A_PAGE = 100
LISTINGS_KEPT = 8


def get_info(call: Call) -> Any:
    return call.team.info()


def get_authenticated_admin(call: Call) -> Any:
    member = call.team.find("team_member_id", call.grant.admin_id)
    if member is None:
        raise api_error(call.sandbox, 409, {".tag": "mapping_not_found"})
    if status_of(member) != "active" or not member["roles"]:
        raise api_error(call.sandbox, 409, {".tag": "admin_not_active"})
    return {"admin_profile": member["profile"]}


FEATURES: dict[str, dict[str, Any]] = {
    "upload_api_rate_limit": {".tag": "limit", "limit": 25000},
    "has_team_shared_dropbox": {".tag": "has_team_shared_dropbox", "has_team_shared_dropbox": False},
    "has_team_file_events": {".tag": "enabled", "enabled": True},
    "has_team_selective_sync": {".tag": "has_team_selective_sync", "has_team_selective_sync": True},
    "has_distinct_member_homes": {".tag": "has_distinct_member_homes", "has_distinct_member_homes": True},
}


def get_features(call: Call) -> Any:
    wanted = [arguments.tag_of(one) for one in call.argument["features"]]
    if not wanted:
        raise api_error(call.sandbox, 409, {".tag": "empty_features_list"})
    return {"values": [{".tag": tag, tag: FEATURES[tag]} if tag in FEATURES else {".tag": "other"} for tag in wanted]}


def list_members(call: Call) -> Any:
    return _members_page(call, 0, call.argument["limit"], call.argument["include_removed"])


def continue_members(call: Call) -> Any:
    place = read_cursor(call, "members", call.argument["cursor"])
    return _members_page(call, place["start"], place["limit"], place["removed"])


def _members_page(call: Call, start: int, limit: int, removed: bool) -> Any:
    call.team.update_recovery(call.sandbox.now())
    members, following = call.team.window(start, limit, removed)
    place = start + len(members) if following is None else following
    cursor = make_cursor(call, "members", {"start": place, "limit": limit, "removed": removed})
    return {"members": members, "cursor": cursor, "has_more": following is not None}


def get_members_info(call: Call) -> Any:
    """Whether Dropbox calls a removed member "valid" is not documented: `info_tells_removed` says it."""
    call.team.update_recovery(call.sandbox.now())
    infos = []
    for selector in call.argument["members"]:
        member = call.find(selector)
        known = member is not None and (call.sandbox.info_tells_removed or status_of(member) != "removed")
        unknown = {".tag": "id_not_found", "id_not_found": selector[selector[".tag"]]}
        infos.append({".tag": "member_info", **member} if member is not None and known else unknown)
    return {"members_info": infos}


def get_available_roles(call: Call) -> Any:
    return {"roles": [dict(role) for role in ROLES]}


def get_events(call: Call) -> Any:
    time = call.argument["time"] or {}
    first, now = arguments.read_moment(time.get("start_time")), call.sandbox.now()
    end = arguments.read_moment(time.get("end_time"))
    if first and end and end <= first:
        raise api_error(call.sandbox, 409, {".tag": "invalid_time_range"})
    only = {name: arguments.tag_of(call.argument[name]) for name in ("account_id", "category", "event_type")}
    if only["category"] and only["event_type"]:
        raise api_error(call.sandbox, 409, {".tag": "invalid_filters"})
    if only["account_id"] and not call.team.find("account_id", only["account_id"]):
        raise api_error(call.sandbox, 409, {".tag": "account_id_not_found"})
    since = first or now - dt.timedelta(days=30)
    start = {"start": 0, "limit": call.argument["limit"], "ends": bool(end), "only": only}
    start |= {"first": since.isoformat(), "now": now.isoformat()}
    return _log_page(call, since, end or now, start)


def continue_events(call: Call) -> Any:
    place = read_cursor(call, "events", call.argument["cursor"], unknown="bad_cursor")
    since, until = (dt.datetime.fromisoformat(place[name]) for name in ("since", "until"))
    if place["whole"]:  # everything until then was listed, so continue with later events
        now = call.sandbox.now()
        since, until = until, until if place["ends"] else now
        place |= {"before": place.get("now", place["until"]), "now": now.isoformat()}
    return _log_page(call, since, until, place)


def _log_page(call: Call, since: dt.datetime, until: dt.datetime, place: dict[str, Any]) -> Any:
    start, limit = place["start"], place["limit"]
    found = _events_up_to(call, since, until, place)
    window, more = found[start : start + limit], len(found) > start + limit
    reached = {"since": since.isoformat(), "until": until.isoformat(), "whole": not more}
    cursor = make_cursor(call, "events", {**place, **reached, "start": start + limit if more else 0})
    return {"events": window, "cursor": cursor, "has_more": more}


def _events_up_to(call: Call, since: dt.datetime, until: dt.datetime, place: dict[str, Any]) -> list[log.Event]:
    """The first events of a listing, one more than its page needs. The latest listings are kept to go on from."""
    kept, only = call.sandbox.listings, place.get("only", {})
    key = (call.team.team_id, since, until, *only.values(), place.get("before"), place.get("now"))
    listing = kept.pop(key, None) if place["start"] else None
    if listing is None:
        every = itertools.chain(log.events(call.team, since, until), _recorded(call, since, until, place))
        listing = ([], (event for event in every if log.matches(event, **only)))
    found, following = listing
    found += itertools.islice(following, max(0, place["start"] + place["limit"] + 1 - len(found)))
    kept[key] = listing
    if len(kept) > LISTINGS_KEPT:
        del kept[next(iter(kept))]
    return found


def _recorded(call: Call, since: dt.datetime, until: dt.datetime, place: dict[str, Any]) -> Iterator[log.Event]:
    first, before, now = (place.get(name) for name in ("first", "before", "now"))
    seen = (before and dt.datetime.fromisoformat(before), dt.datetime.fromisoformat(now) if now else until)
    span = (dt.datetime.fromisoformat(first) if first else since, until if place["ends"] else None)
    return log.recorded(call.team, span, seen)


def list_devices(call: Call) -> Any:
    start = 0
    if call.argument["cursor"]:
        start = read_cursor(call, "devices", call.argument["cursor"], unknown="reset")["start"]
    found = log.sessions(call.team, call.sandbox.now())
    window, more = found[start : start + DEVICES_A_PAGE], start + DEVICES_A_PAGE < len(found)
    answer = {"devices": window, "has_more": more}
    return answer | ({"cursor": make_cursor(call, "devices", {"start": start + DEVICES_A_PAGE})} if more else {})


def revoke_token(call: Call) -> Any:
    call.sandbox.store.revoke(call.grant.grant_id)
    return None


def make_cursor(call: Call, listing: str, place: dict[str, Any]) -> str:
    """A signed place in a listing. It is valid for this listing and team only, until `forget_cursors` is called."""
    text = json.dumps({"listing": listing, **place}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal_place(call, text) + text).decode("ascii")


def read_cursor(call: Call, listing: str, cursor: str, *, unknown: str = "invalid_cursor") -> dict[str, Any]:
    """The place a cursor stands for; 409 with the tag `unknown` for any other text."""
    try:
        raw = base64.urlsafe_b64decode(cursor)
    except (binascii.Error, ValueError):
        raw = b""
    seal, text = raw[:12], raw[12:]
    if text and seal == _seal_place(call, text):
        place: dict[str, Any] = json.loads(text)
        if place["listing"] == listing:
            return place
    raise api_error(call.sandbox, 409, {".tag": unknown})


def _seal_place(call: Call, text: bytes) -> bytes:
    key = f"{call.team.team_id}/{call.sandbox.cursor_epoch}".encode()
    return hashlib.blake2b(text, key=key, digest_size=12).digest()


CURSOR = {"cursor": Field(check=arguments.text)}
LISTING = {
    "limit": Field(check=arguments.whole(1, 1000), default=1000),
    "include_removed": Field(check=arguments.boolean, default=False),
}
EVENTS = {
    "limit": Field(check=arguments.whole(1, 1000), default=1000),
    "account_id": Field(check=arguments.account_id, default=None),
    "time": Field(check=arguments.time_range, default=None),
    "category": Field(check=arguments.union, default=None),
    "event_type": Field(check=arguments.union, default=None),
}
DEVICES = {
    "cursor": Field(check=arguments.text, default=None),
    "include_web_sessions": Field(check=arguments.boolean, default=True),
    "include_desktop_clients": Field(check=arguments.boolean, default=True),
    "include_mobile_clients": Field(check=arguments.boolean, default=True),
}
READ_TEAM, READ_MEMBERS, READ_EVENTS = "team_info.read", "members.read", "events.read"

ROUTES: dict[str, Route] = {
    "team/get_info": Route(answer=get_info, scope=READ_TEAM),
    "team/token/get_authenticated_admin": Route(answer=get_authenticated_admin, scope=READ_TEAM),
    "team/features/get_values": Route(
        answer=get_features, scope=READ_TEAM, fields={"features": Field(check=arguments.tags)}
    ),
    "team/members/list_v2": Route(answer=list_members, scope=READ_MEMBERS, fields=LISTING),
    "team/members/list/continue_v2": Route(answer=continue_members, scope=READ_MEMBERS, fields=CURSOR),
    "team/members/get_info_v2": Route(
        answer=get_members_info, scope=READ_MEMBERS, fields={"members": Field(check=arguments.selectors)}
    ),
    "team/members/get_available_team_member_roles": Route(answer=get_available_roles, scope=READ_MEMBERS),
    "team_log/get_events": Route(answer=get_events, scope=READ_EVENTS, fields=EVENTS),
    "team_log/get_events/continue": Route(answer=continue_events, scope=READ_EVENTS, fields=CURSOR),
    "team/devices/list_members_devices": Route(answer=list_devices, scope="sessions.list", fields=DEVICES),
    **REMOVAL_ROUTES,
    "auth/token/revoke": Route(answer=revoke_token, user=True),
}


def answer_of(route: Route, call: Call) -> Response:
    """The 200 answer of a route."""
    return as_json(route.answer(call))

"""A strict Dropbox over the made-up teams, answering at the transport. It shares no code with the product's sandbox.

It refuses whatever the documents do not allow, remembers which team a token and a cursor belong to, and tells a witness
what it served. `faults` may answer in its place, or change what it says.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.proofs.twin.truth import STAMP, Event, Member, Team

INFO, ADMIN, FEATURES = "team/get_info", "team/token/get_authenticated_admin", "team/features/get_values"
LIST, LIST_MORE = "team/members/list_v2", "team/members/list/continue_v2"
EVENTS, EVENTS_MORE = "team_log/get_events", "team_log/get_events/continue"
DEVICES, TOKEN = "team/devices/list_members_devices", "token"
TOKEN_LIFE = timedelta(hours=4)
Response = tuple[int, dict[str, str], bytes]
ARGUMENTS = {
    LIST: {"limit", "include_removed"},
    LIST_MORE: {"cursor"},
    EVENTS: {"limit", "time", "account_id", "category", "event_type"},
    EVENTS_MORE: {"cursor"},
    DEVICES: {"cursor", "include_web_sessions", "include_desktop_clients", "include_mobile_clients"},
    FEATURES: {"features"},
}


class Witness(Protocol):
    """Who is told what was served: the ledger."""

    def see_members(self, first: bool, page: list[tuple[Member, str]], is_last: bool) -> None: ...

    def see_events(self, begun: Listing | None, page: list[tuple[Event, Any]], is_last: bool) -> None: ...

    def see_devices(self, page: list[tuple[Member, datetime]]) -> None: ...


class Faults(Protocol):
    """Who may answer in the vendor's place, or change what it says."""

    def instead(self, route: str, nth: int) -> Response | None: ...

    def change(self, route: str, nth: int, place: Place | None, answer: dict[str, Any]) -> dict[str, Any]: ...

    def spoil_log(self, listing: Listing) -> None: ...

    def spoil_list(self, listing: Listing) -> None: ...

    def cut(self, route: str, nth: int, body: bytes) -> bytes: ...


@dataclass
class Listing:
    """What a listing or a reading will serve, fixed at its first page: (what it is about, its record)."""

    team: Team
    rows: list[Any]
    limit: int
    since: datetime | None = None


@dataclass
class Place:
    """What a cursor stands for: a row of a listing at which the next page begins."""

    listing: Listing
    route: str
    start: int


@dataclass
class Refusal(Exception):
    status: int
    tag: str
    fields: dict[str, Any] = field(default_factory=dict)


class Vendor:
    """`teams` by id; `chosen` is the team whose admin answers the next consent."""

    def __init__(self, teams: list[Team], now: Callable[[], datetime], rng: random.Random, witness: Witness) -> None:
        self.teams = {team.team_id: team for team in teams}
        self.chosen = teams[0]
        self.now, self.rng, self.witness = now, rng, witness
        self.faults: Faults | None = None
        self.access: dict[str, tuple[Team, datetime]] = {}
        self.refresh: dict[str, Team] = {}
        self.codes: dict[str, Team] = {}
        self.cursors: dict[str, Place] = {}
        self.calls: Counter[str] = Counter()
        self.members_at_list: list[Member] = []
        self.files_recorded = True
        self.scopes = ""
        self.served: Callable[[], None] | None = None  # tells the witness of this answer, if it arrives whole

    def answer(self, prepared: requests.PreparedRequest) -> Response:
        """For `responses`: the status, headers and body of one call."""
        path = path_of(prepared)
        route = TOKEN if path == "/oauth2/token" else path.removeprefix("/2/")
        self.calls[route] += 1
        nth = self.calls[route]
        self.served = None
        if self.faults and (given := self.faults.instead(route, nth)):
            return given
        body = prepared.body or b""
        text = body if isinstance(body, str) else bytes(body).decode()
        try:
            answer = self._grant(text) if route == TOKEN else self._serve(route, nth, prepared, text)
        except Refusal as refusal:
            error = {".tag": refusal.tag, **refusal.fields}
            return self.respond(refusal.status, {"error_summary": f"{refusal.tag}/..", "error": error})
        whole = json.dumps(answer).encode()
        sent = self.faults.cut(route, nth, whole) if self.faults else whole
        if self.served and sent is whole:
            self.served()
        return 200, self.headers(), sent

    def headers(self, **more: str) -> dict[str, str]:
        date = format_datetime(self.now().astimezone(UTC), usegmt=True)
        return {"Content-Type": "application/json", "Date": date, "X-Dropbox-Request-Id": "twin", **more}

    def respond(self, status: int, body: Any, **more: str) -> Response:
        return status, self.headers(**more), json.dumps(body).encode()

    def consent(self) -> str:
        """The chosen team's admin allows the access; gives the code."""
        code = f"code-{self.rng.getrandbits(64):x}"
        self.codes[code] = self.chosen
        return code

    def _grant(self, form: str) -> dict[str, Any]:
        given = dict(parse_qsl(form))
        known = self.codes.pop(given.get("code", ""), None) or self.refresh.get(given.get("refresh_token", ""))
        if known is None:
            raise Refusal(400, "invalid_grant")
        access = f"at-{self.rng.getrandbits(64):x}"
        self.access[access] = (known, self.now() + TOKEN_LIFE)
        granted = {"access_token": access, "token_type": "bearer", "expires_in": int(TOKEN_LIFE.total_seconds())}
        if "code" in given:
            refresh = f"rt-{self.rng.getrandbits(64):x}"
            self.refresh[refresh] = known
            granted |= {"refresh_token": refresh, "team_id": known.team_id, "scope": self.scopes}
        return granted

    def _serve(self, route: str, nth: int, prepared: requests.PreparedRequest, text: str) -> dict[str, Any]:
        token = prepared.headers.get("Authorization", "").removeprefix("Bearer ")
        team, ends = self.access.get(token, (None, self.now()))
        if team is None:
            raise Refusal(401, "invalid_access_token")
        if self.now() >= ends:
            raise Refusal(401, "expired_access_token")
        assert prepared.method == "POST" and prepared.headers["Content-Type"] == "application/json", prepared.headers
        argument = json.loads(text)
        assert (argument is None) == (route not in ARGUMENTS), (route, text)
        assert set(argument or ()) <= ARGUMENTS.get(route, set()), (route, text)
        place, answer = self._route(route, team, argument)
        return self.faults.change(route, nth, place, answer) if self.faults else answer

    def _route(self, route: str, team: Team, argument: Any) -> tuple[Place | None, dict[str, Any]]:
        if route == INFO:
            count = len(team.listed())
            counts = {f"num_{what}": count for what in ("licensed_users", "provisioned_users", "used_licenses")}
            return None, {"name": team.name, "team_id": team.team_id, **counts}
        if route == ADMIN:
            return None, {"admin_profile": member_record(team.members[0])["profile"]}
        if route == FEATURES:
            enabled = {".tag": "enabled", "enabled": self.files_recorded}
            tag = "has_team_file_events"
            return None, {"values": [{".tag": tag, tag: enabled}]}
        if route in (LIST, EVENTS):
            return self._first_page(route, team, argument)
        if route in (LIST_MORE, EVENTS_MORE, DEVICES):
            return self._next_page(route, team, argument)
        raise AssertionError(f"The product called {route}.")

    def _first_page(self, route: str, team: Team, argument: dict[str, Any]) -> tuple[Place, dict[str, Any]]:
        limit = argument.get("limit", 1000)
        assert 1 <= limit <= 1000
        if route == LIST:
            self.members_at_list = team.listed()
            listing = Listing(team, [(one, member_record(one)) for one in team.listed()], limit)
            if self.faults and limit > 1:
                self.faults.spoil_list(listing)
        else:
            since = datetime.strptime(argument["time"]["start_time"], STAMP).replace(tzinfo=UTC)
            listing = Listing(team, self._shown_events(team, since), limit, since)
            if self.faults and limit > 1:
                self.faults.spoil_log(listing)
        place = Place(listing, route, 0)
        return place, self.page(place, first=True)

    def _shown_events(self, team: Team, since: datetime) -> list[tuple[Event, Any]]:
        """Unsorted, as the log is: roughly by when it showed them, some twice."""
        now = self.now()
        shown = [event for event in team.events if event.at >= since and event.visible <= now]
        if not self.files_recorded:
            shown = [one for one in shown if one.body["event_category"][".tag"] != "file_operations"]
        shown.sort(key=lambda event: (event.visible + timedelta(seconds=self.rng.randrange(7200)), id(event.owner)))
        return [(event, event.body) for event in shown for _ in range(event.copies)]

    def _next_page(self, route: str, team: Team, argument: dict[str, Any]) -> tuple[Place, dict[str, Any]]:
        cursor = argument.get("cursor")
        if route == DEVICES and cursor is None:
            place = Place(Listing(team, self._sessions(team), 7), route, 0)
            return place, self.page(place, first=True)
        found = self.cursors.get(cursor)
        first = {LIST_MORE: LIST, EVENTS_MORE: EVENTS, DEVICES: DEVICES}[route]
        if found is None or found.listing.team is not team or found.route != first:
            raise Refusal(409, {LIST_MORE: "invalid_cursor", EVENTS_MORE: "bad_cursor", DEVICES: "reset"}[route])
        return found, self.page(found, first=False)

    def _sessions(self, team: Team) -> list[tuple[Member, datetime]]:
        """The latest use of each member's computer, which the vendor knows at once."""
        found = []
        for member in team.listed():
            kinds = ("file_edit", "device_change_ip_desktop")
            seen = [use.at for use in member.uses if use.kind in kinds and use.at <= self.now()]
            if seen:
                found.append((member, max(seen)))
        return found

    def page(self, place: Place, *, first: bool) -> dict[str, Any]:
        """One page of a listing. The witness is told of it when it has arrived."""
        rows = place.listing.rows[place.start : place.start + place.listing.limit]
        end = place.start + len(rows)
        more = end < len(place.listing.rows)
        answer: dict[str, Any] = {"has_more": more}
        if place.route == DEVICES:
            self.served = partial(self.witness.see_devices, rows)
            answer["devices"] = [session_record(member, at) for member, at in rows]
        elif place.route == LIST:
            records = [record for _, record in rows]
            seen = [(member, readable(record)) for member, record in rows]
            self.served = partial(self.witness.see_members, first, seen, not more)
            answer["members"] = records
        else:
            self.served = partial(self.witness.see_events, place.listing if first else None, rows, not more)
            answer["events"] = [record for _, record in rows]
        if more or place.route != DEVICES:
            answer["cursor"] = self.cursor(Place(place.listing, place.route, end))
        return answer

    def cursor(self, place: Place) -> str:
        name = f"cursor-{self.rng.getrandbits(64):x}"
        self.cursors[name] = place
        return name


def path_of(prepared: requests.PreparedRequest) -> str:
    return urlsplit(prepared.url or "").path


def member_record(member: Member) -> dict[str, Any]:
    profile = {
        "team_member_id": member.member_id,
        "account_id": member.account_id,
        "email": member.email,
        "email_verified": True,
        "secondary_emails": [{"email": address, "is_verified": True} for address in member.others],
        "status": {".tag": member.status},
        "membership_type": {".tag": "full"},
        "name": {"given_name": "P", "surname": member.member_id, "display_name": member.member_id},
        "groups": [],
    }
    if member.status != "invited":
        profile["joined_on"] = member.joined.strftime(STAMP)
    return {"profile": profile, "roles": [{"role_id": "pid_dbtmr:1", "name": "Team"}] if member.is_admin else []}


def session_record(member: Member, at: datetime) -> dict[str, Any]:
    client = {"session_id": "dbwsid:1", "host_name": "h", "updated": at.strftime(STAMP)}
    return {"team_member_id": member.member_id, "desktop_clients": [client]}


def readable(record: dict[str, Any]) -> str:
    """What can be read of a record: "all", its "id", or "nothing"."""
    profile = record.get("profile") or {}
    if "email" in profile:
        return "all"
    return "id" if "team_member_id" in profile else "nothing"

"""Dropbox as a connector: the registry row, the team, its administrator and its seats."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from profiles.connectors.base import (
    ACTIVITY,
    DOWNLOAD,
    RECLAIM,
    RECLAMATION,
    ActivityPage,
    Admin,
    Counters,
    Endpoints,
    Limits,
    Page,
    Refused,
    SeatType,
    Team,
    TokenSource,
    Vendor,
    VendorProcess,
    Wait,
    plain,
)
from profiles.connectors.dropbox import activity_types, devices, events, members, probes
from profiles.connectors.dropbox.client import REQUEST_ID_HEADER, DropboxClient, DropboxDialect
from profiles.connectors.http import VendorSession
from profiles.connectors.transport import Answer

AnyPage = TypeVar("AnyPage", Page, ActivityPage)

LIST = "team/members/list_v2"
LIST_CONTINUE = "team/members/list/continue_v2"
EVENTS = "team_log/get_events"
EVENTS_CONTINUE = "team_log/get_events/continue"
DEVICES = "team/devices/list_members_devices"
EVENTS_A_PAGE = 1000
CLOCKS_DIFFER = dt.timedelta(hours=24)
LARGEST_PAGE = 1000
MOST_EMPTY_PAGES = 1000
LARGEST_COUNT = 2**31 - 1

# ServiceNow's table names Security Admin, but Dropbox documents no role below Team admin that may connect a team app.
TEAM_ADMIN = members.TEAM_ADMIN

VENDOR = Vendor(
    key="dropbox",
    label="Dropbox",
    profile_type="DropBox Subscription",
    alias_name="Dropbox",
    publisher="Dropbox",
    connector="profiles.connectors.dropbox.connector:Dropbox",
    endpoints=Endpoints(
        authorize_url="https://www.dropbox.com/oauth2/authorize",
        token_url="https://api.dropboxapi.com/oauth2/token",  # noqa: S106 - an address, not a token
        api_url="https://api.dropboxapi.com",
        revoke_path="/2/auth/token/revoke",
        request_id_header=REQUEST_ID_HEADER,
        api_version="/2",
    ),
    processes=(
        VendorProcess(
            key=DOWNLOAD,
            label="Download subscriptions",
            scopes=("members.read", "team_info.read"),
            recommended_scopes=("groups.read", "team_data.member"),
            vendor_role=TEAM_ADMIN,
            optional=False,
        ),
        VendorProcess(
            key=ACTIVITY,
            label="Pull user activity",
            scopes=("events.read",),
            recommended_scopes=("team_data.member",),
            vendor_role=TEAM_ADMIN,
        ),
        VendorProcess(
            key=RECLAIM,
            label="Reclaim subscriptions",
            # The last two are needed to read the member again before and after the removal.
            scopes=("members.write", "members.delete", "members.read", "team_info.read"),
            recommended_scopes=("groups.read",),
            vendor_role=TEAM_ADMIN,
            purpose=RECLAMATION,
        ),
    ),
    authorize_params={"token_access_type": "offline", "force_reapprove": "true"},
    switch_account_params={"force_reauthentication": "true"},
    seat_types=(
        SeatType(identifier="full", publisher="Dropbox", product="Dropbox Business", edition="Full"),
        SeatType(
            identifier="limited",
            publisher="Dropbox",
            product="Dropbox Business",
            edition="Limited",
            consumes_license=False,
        ),
    ),
    app_steps=(
        "Open Dropbox Developer Apps and sign in as a team admin.",
        "On the My Apps page, select Create App.",
        "Select scoped access, and Full Dropbox as the type of access.",
        "Enter a name for your application and select Create app.",
        "On the Permissions tab, tick these scopes and select Submit: {scopes}",
        "On the Settings tab, add this redirect URI: {redirect_url}",
        "Copy the App key into Client ID and the App secret into Client secret. Do not share them.",
        "On the Branding tab, select Save changes.",
    ),
    activity_types=activity_types.TABLE,
    session_scope="sessions.list",
)


class _TeamInfo(msgspec.Struct):
    """The answer of get_info. Only the id must be readable; an unreadable count is treated as not given."""

    team_id: members.Id
    name: Any = None
    num_licensed_users: Any = None
    num_provisioned_users: Any = None
    num_used_licenses: Any = None


def _read_count(value: Any) -> int | None:
    """A count of licenses or accounts, at most what a database integer holds (Dropbox allows up to 2**32)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return int(min(value, LARGEST_COUNT))


class Dropbox:
    """One Dropbox team behind one token."""

    def __init__(
        self, endpoints: Endpoints, client_id: str, token_source: TokenSource, limits: Limits, wait: Wait
    ) -> None:
        self._limits = limits
        self._session = VendorSession(
            client_id=client_id,
            token_source=token_source,
            dialect=DropboxDialect(),
            limits=limits,
            wait=wait,
            api_url=endpoints.api_url,
        )
        self._client = DropboxClient(self._session, endpoints.api_url)

    @property
    def counters(self) -> Counters:
        """What was called so far: requests, retries, bytes, seconds waited, and the difference of the clocks."""
        return self._session.counters

    def team(self) -> Team:
        """The team and its license counts.

        Dropbox added `num_used_licenses` in November 2022. It may be absent or 0; then the provisioned count is used.
        """
        answer = self._client.read("team/get_info", _TeamInfo)
        provisioned = _read_count(answer.num_provisioned_users)
        return Team(
            team_id=answer.team_id,
            name=plain(answer.name, 255) if isinstance(answer.name, str) else "",
            licensed=_read_count(answer.num_licensed_users),
            provisioned=provisioned,
            used=_read_count(answer.num_used_licenses) or provisioned,
        )

    def admin(self, *, authorized_by: str = "") -> Admin | None:
        """Who authorized the token; None where Dropbox has no record of it (`mapping_not_found`).

        Raises Refused (`admin_not_active`) when that person is suspended, has left the team or lost the role.
        """
        try:
            answer = self._client.read("team/token/get_authenticated_admin", members.AuthenticatedAdmin)
        except Refused as refusal:
            if refusal.failure.tag == "mapping_not_found":
                return None
            if refusal.failure.tag == "admin_not_active":
                raise probes.inactive_admin(self._client, authorized_by, refusal) from refusal
            raise
        return members.admin(answer.admin_profile)

    def seats(self, cursor: str = "") -> Iterator[Page]:
        """Every current member as pages of `Seat`, from the first page or after `cursor`.

        Removed members are not listed. An empty page may be followed by others. Raises ListingReset when Dropbox no
        longer accepts the cursor, and ProtocolError when the listing runs in a circle.
        """
        limit = min(max(self._limits.page_size, 1), LARGEST_PAGE)
        start = {"limit": limit, "include_removed": False}
        return self._walk_pages(
            cursor,
            lambda place: (LIST_CONTINUE, {"cursor": place}) if place else (LIST, start),
            lambda answer: members.page(answer.body, plain(answer.headers.get(REQUEST_ID_HEADER, ""), 200)),
            lambda page: len(page.items) + len(page.set_aside),
        )

    def activity(self, since: dt.datetime, cursor: str = "") -> Iterator[ActivityPage]:
        """The team log since `since`, or after `cursor`, as pages that fold to uses per account and day.

        We ask without an end time, so that the cursor can be used for later events. An empty page may be followed by
        others.
        """
        bound = dt.datetime.now(dt.UTC) + CLOCKS_DIFFER
        start = {"limit": EVENTS_A_PAGE, "time": {"start_time": since.astimezone(dt.UTC).strftime(events.STAMP)}}
        return self._walk_pages(
            cursor,
            lambda place: (EVENTS_CONTINUE, {"cursor": place}) if place else (EVENTS, start),
            lambda answer: events.page(answer.body, bound),
            lambda page: page.read,
        )

    def sessions(self) -> Iterator[ActivityPage]:
        """The latest activity of every web session, desktop client and mobile client of the team."""
        bound = dt.datetime.now(dt.UTC) + CLOCKS_DIFFER
        return self._walk_pages(
            "",
            lambda place: (DEVICES, {"cursor": place} if place else {}),
            lambda answer: devices.page(answer.body, bound),
            lambda page: page.read,
        )

    def _walk_pages(
        self,
        cursor: str,
        asked: Callable[[str], tuple[str, dict[str, Any]]],
        decode: Callable[[Answer], AnyPage],
        size: Callable[[AnyPage], int],
    ) -> Iterator[AnyPage]:
        """Every page up to the last one.

        Raises ProtocolError for a listing that runs in a circle or has only empty pages.
        """
        # "" means the first page. A page with more to come but without a cursor would start the listing again.
        seen, empty = {cursor, ""}, 0
        while True:
            route, argument = asked(cursor)
            answer, page = self._client.call(route, argument, lambda answer: (answer, decode(answer)))
            empty = 0 if size(page) else empty + 1
            # Checked before the page is yielded, so that the error has this answer and its request id.
            if page.has_more and (page.cursor in seen or empty > MOST_EMPTY_PAGES):
                raise self._client.impossible_answer(route, answer, "the listing goes round in circles")
            yield page
            if not page.has_more:
                return
            cursor = page.cursor
            seen.add(cursor)

    def file_events(self) -> bool | None:
        """Whether the plan records file events; None where Dropbox does not say or does not let us ask."""
        return probes.file_events(self._client)

    def probe(self, process: str, *, authorized_by: str = "") -> str:
        """Try what a process needs: the member list, the team log, or everything a removal needs except the removal."""
        if process == DOWNLOAD:
            self._client.call(LIST, {"limit": 1, "include_removed": False})
            team = self.team()
            accounts = f"Dropbox counts {team.provisioned or 0:,} accounts."
            return f"{team.name or team.team_id}: the member list can be read. {accounts}"
        if process == ACTIVITY:
            return probes.activity(self._client)
        admin = self.admin(authorized_by=authorized_by)
        if admin is None:
            raise Refused("Dropbox keeps no record of who authorized this token.", remedy=probes.ANEW)
        return probes.reclaim(self._client, admin)

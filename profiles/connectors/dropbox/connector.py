"""Dropbox as a connector: the registry row, the team, its administrator and its seats."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from profiles.connectors.base import (
    ACTIVITY,
    DOWNLOAD,
    RECLAIM,
    RECLAMATION,
    ActivityPage,
    Admin,
    Counters,
    Effect,
    Endpoints,
    Limits,
    Look,
    Page,
    Refused,
    Seat,
    SeatType,
    Team,
    TokenSource,
    Uses,
    Vendor,
    VendorProcess,
    Wait,
    plain,
)
from profiles.connectors.dropbox import (
    activity_types,
    devices,
    events,
    look as looks,
    members,
    probes,
    recent as log,
    removal,
)
from profiles.connectors.dropbox.client import REQUEST_ID_HEADER, DropboxClient, DropboxDialect
from profiles.connectors.dropbox.paging import count_events, count_records, walk_pages
from profiles.connectors.http import VendorSession
from profiles.connectors.transport import Answer

DEVICES = "team/devices/list_members_devices"
EVENTS_A_PAGE = 1000
CLOCKS_DIFFER = dt.timedelta(hours=24)
LARGEST_PAGE = 1000
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
    bounded_log=True,
    session_scope="sessions.list",
    removal=removal.REMOVAL,
)


class _TeamInfo(msgspec.Struct):
    """The answer of get_info. Only the id must be readable; an unreadable count is treated as not given."""

    team_id: members.Id
    name: Any = None
    num_licensed_users: Any = None
    num_provisioned_users: Any = None
    num_used_licenses: Any = None


def _read_members(answer: Answer) -> Page:
    return members.page(answer.body, plain(answer.headers.get(REQUEST_ID_HEADER, ""), 200))


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
        return walk_pages(self._client, looks.LISTING, start, _read_members, count_records, cursor)

    def activity(
        self, since: dt.datetime, cursor: str = "", *, until: dt.datetime | None = None
    ) -> Iterator[ActivityPage]:
        """The team log since `since`, or after `cursor`, as pages that fold to uses per account and day.

        Without `until` we ask for no end time, so that the cursor can be used for later events. An empty page may be
        followed by others.
        """
        bound = dt.datetime.now(dt.UTC) + CLOCKS_DIFFER
        span = {"start_time": since, "end_time": until} if until else {"start_time": since}
        time = {name: moment.astimezone(dt.UTC).strftime(events.STAMP) for name, moment in span.items()}
        start = {"limit": EVENTS_A_PAGE, "time": time}
        return walk_pages(
            self._client, log.LOG, start, lambda answer: events.page(answer.body, bound), count_events, cursor
        )

    def sessions(self) -> Iterator[ActivityPage]:
        """The latest activity of every web session, desktop client and mobile client of the team."""
        bound = dt.datetime.now(dt.UTC) + CLOCKS_DIFFER
        return walk_pages(
            self._client, (DEVICES, DEVICES), {}, lambda answer: devices.page(answer.body, bound), count_events
        )

    def make_room(self, calls: int) -> None:
        """See `VendorSession.make_room`: so many calls in a row without a wait between them."""
        self._session.make_room(calls)

    def look(self, external_ids: Sequence[str]) -> list[Look]:
        """See `look.look`: what Dropbox says about these members, removed ones included."""
        return looks.look(self._client, external_ids)

    def withdraw(
        self, external_id: str, *, wipe: bool = False, destination: str = "", transfer_admin: str = ""
    ) -> Effect:
        """See `removal.withdraw`. An effect, as are `restore` and `finish`: each is sent once."""
        return removal.withdraw(
            self._client, external_id, wipe=wipe, destination=destination, transfer_admin=transfer_admin
        )

    def restore(self, external_id: str) -> Effect:
        """See `removal.restore`."""
        return removal.restore(self._client, external_id)

    def finish(self, external_id: str, *, destination: str, transfer_admin: str) -> Effect:
        """See `removal.finish`."""
        return removal.finish(self._client, external_id, destination=destination, transfer_admin=transfer_admin)

    def ask(self, step: str, job: str) -> Effect:
        """See `removal.ask`."""
        return removal.ask(self._client, step, job)

    def recent(self, seats: Sequence[Seat], since: dt.datetime) -> Uses:
        """See `recent.recent`: the use of these seats since then, asked by account."""
        return log.recent(self._client, seats, since, dt.datetime.now(dt.UTC) + CLOCKS_DIFFER)

    def finished(self, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        """See `recent.finished`: whose files were handed over since then."""
        return log.finished(self._client, external_ids, since)

    def returned(self, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        """See `recent.returned`: who was restored or joined again since then."""
        return log.returned(self._client, external_ids, since)

    def file_events(self) -> bool | None:
        """Whether the plan records file events; None where Dropbox does not say or does not let us ask."""
        return probes.file_events(self._client)

    def probe(self, process: str, *, authorized_by: str = "") -> str:
        """Try what a process needs: the member list, the team log, or everything a removal needs except the removal."""
        if process == DOWNLOAD:
            self._client.call(looks.LISTING[0], {"limit": 1, "include_removed": False})
            team = self.team()
            accounts = f"Dropbox counts {team.provisioned or 0:,} accounts."
            return f"{team.name or team.team_id}: the member list can be read. {accounts}"
        if process == ACTIVITY:
            return probes.activity(self._client)
        admin = self.admin(authorized_by=authorized_by)
        if admin is None:
            raise Refused("Dropbox keeps no record of who authorized this token.", remedy=probes.ANEW)
        return probes.reclaim(self._client, admin)

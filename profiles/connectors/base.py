"""What every vendor connector offers, what it returns and how it fails.

Plain Python: nothing below `profiles.connectors` imports Django or Celery. A connector turns a vendor's answers into
the records of this module. Errors are named by what a person or a job can do about them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import msgspec

from profiles.connectors.activity import (
    ActivityPage as ActivityPage,
    ActivityType as ActivityType,
    DayUse as DayUse,
    Repeats as Repeats,
    Use as Use,
    Uses as Uses,
)
from profiles.connectors.errors import (
    AnswerLost as AnswerLost,
    ConnectorError as ConnectorError,
    Failure as Failure,
    ListingReset as ListingReset,
    MissingScope as MissingScope,
    ProtocolError as ProtocolError,
    Reconnect as Reconnect,
    Refused as Refused,
    StaleToken as StaleToken,
    Throttled as Throttled,
    TryLater as TryLater,
    UnreadableAnswer as UnreadableAnswer,
)
from profiles.connectors.text import plain as plain

DOWNLOAD = "download_subscriptions"
ACTIVITY = "pull_activity"
RECLAIM = "reclaim"

SUBSCRIPTIONS = "subscriptions"
RECLAMATION = "reclamation"


@dataclass(frozen=True, kw_only=True)
class VendorProcess:
    """One process that a vendor offers: the scopes and the vendor role it needs, and the credential purpose it uses.

    `scopes` are needed: the process does not work without every one of them. `recommended_scopes` are asked for as
    well; the page notes where one is missing, and nothing fails. `purpose` RECLAMATION means the reclamation credential
    where the alias has one, else the credential for SUBSCRIPTIONS.
    """

    key: str
    label: str
    scopes: tuple[str, ...]
    vendor_role: str
    optional: bool = True
    recommended_scopes: tuple[str, ...] = ()
    purpose: str = SUBSCRIPTIONS


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """The addresses of a vendor. They come from deployment settings only, never from a form.

    `revoke_path` is below `api_url`; empty means that the vendor has no call to end a grant. `request_id_header` names
    the header whose value the vendor's support asks for. `api_version` is the path that every API address begins with;
    a deployment may write the base address with it or without.
    """

    authorize_url: str
    token_url: str
    api_url: str
    revoke_path: str = ""
    request_id_header: str = ""
    api_version: str = ""


@dataclass(frozen=True, kw_only=True)
class SeatType:
    """The software model behind a subscription identifier, and whether a seat of it uses a license."""

    identifier: str
    publisher: str
    product: str
    edition: str
    consumes_license: bool = True


class Seat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One account in one tenant. Times are aware and UTC; empty text means that the vendor did not say.

    `status` is one of active, invited, suspended, removed, unknown; `vendor_status` is the vendor's own word.
    `is_admin` means any administrative role, `is_full_admin` the one that may do everything.
    """

    external_id: str
    identifier: str
    email: str
    status: str
    vendor_status: str
    consumes_license: bool
    email_verified: bool = False
    display_name: str = ""
    given_name: str = ""
    surname: str = ""
    account_id: str = ""
    employee_id: str = ""
    secondary_emails: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    is_admin: bool = False
    is_full_admin: bool = False
    assigned_at: dt.datetime | None = None
    invited_at: dt.datetime | None = None
    suspended_at: dt.datetime | None = None


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A record we could not read. `external_id` is set where the record still says whose it is."""

    reason: str
    external_id: str = ""
    excerpt: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a listing: readable records, those set aside, and the cursor of the next page if `has_more`."""

    items: Sequence[Any]
    set_aside: Sequence[SetAside] = ()
    cursor: str = ""
    has_more: bool = False
    request_id: str = ""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """The tenant behind a token, and the vendor's own license count. `None` = the vendor did not say."""

    team_id: str
    name: str
    licensed: int | None = None
    provisioned: int | None = None
    used: int | None = None


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor administrator who authorized a token; reclaimed files go to this account."""

    external_id: str
    email: str
    display_name: str = ""
    status: str = "active"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor says about one account now.

    `state` is one of present, withdrawn (out of the tenant, and it can come back), gone (it can not), unknown (a status
    that this version does not know). `seat` is there unless the vendor knows no such account. `undoable` says whether
    the vendor would restore it; None where it does not say.
    """

    external_id: str
    state: str
    seat: Seat | None = None
    undoable: bool | None = None
    request_id: str = ""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor did at our word. `state` is done or working; `job` is what `ask` is given, opaque."""

    state: str
    job: str = ""
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Removal:
    """How a vendor takes seats back.

    - `frees_at`: the step that frees the license: "withdraw" or "finish".
    - `undo_days`: for how many days `restore` works after `withdraw`; None for until `finish`.
    - `default_undo_days`: what a rule begins with.
    - `needs_destination`: whether `finish` hands files to another account.
    - `warnings`: sentences for whoever is about to press the button.
    """

    frees_at: str
    undo_days: int | None
    default_undo_days: int
    needs_destination: bool
    warnings: tuple[str, ...] = ()


class TokenSource(Protocol):
    """Provides a valid access token.

    The connector calls `renew(stale)` once after the vendor refused `stale`. It hides `secrets()` (client secret,
    refresh token) in whatever it keeps of an error.
    """

    def access_token(self) -> str: ...

    def renew(self, stale: str) -> str: ...

    def secrets(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits a connector keeps towards a vendor, in seconds, bytes and records.

    - `deadline`: the time one call may spend on the wire, all its attempts together.
    - `max_bytes`: the size of an answer after decompression.
    - `attempts`: how many times a repeatable call is tried; `backoff` is the first pause between two tries.
    - `max_wait`: the longest pause a job waits for. Above it the job ends as Throttled and is continued later.
    - `requests_per_minute`: the most calls this connector makes; None for unlimited.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    deadline: float = 100.0
    max_bytes: int = 32 * 1024 * 1024
    page_size: int = 500
    attempts: int = 4
    backoff: float = 1.0
    max_wait: float = 30.0
    requests_per_minute: int | None = None


@dataclass(kw_only=True)
class Counters:
    """What a connector has done so far, for the run to show.

    `clock_skew` is the vendor's clock minus ours, in seconds.
    """

    requests: int = 0
    retries: int = 0
    received_bytes: int = 0
    throttled_seconds: float = 0.0
    clock_skew: float | None = None


Wait = Callable[[float, str], None]


class Connector(Protocol):
    """A vendor as the jobs use it. Lists are iterators of `Page`; a cursor resumes after the page it came with."""

    @property
    def counters(self) -> Counters: ...

    def team(self) -> Team: ...

    def admin(self, *, authorized_by: str = "") -> Admin | None:
        """Who authorized the token; None where the vendor does not say.

        `authorized_by` is the account that did so at the time, so that a refusal can say what became of it.
        """
        ...

    def seats(self, cursor: str = "") -> Iterator[Page]: ...

    def activity(
        self, since: dt.datetime, cursor: str = "", *, until: dt.datetime | None = None
    ) -> Iterator[ActivityPage]:
        """Every event since `since`, or after `cursor`; with `until` only those before it, see `Vendor.bounded_log`.

        Raises ListingReset when the vendor no longer accepts the cursor.
        """
        ...

    def sessions(self) -> Iterator[ActivityPage]:
        """The latest activity of every device session, a second signal.

        Raises MissingScope without the scope for it.
        """
        ...

    def file_events(self) -> bool | None:
        """Whether the tenant's plan records file events; None where the vendor does not say."""
        ...

    def probe(self, process: str, *, authorized_by: str = "") -> str:
        """Try what a process needs without changing anything, and return one sentence about it.

        `authorized_by` as in `admin`. Raises ConnectorError.
        """
        ...


class RemovingConnector(Connector, Protocol):
    """A vendor whose seats can be taken back. `withdraw`, `restore` and `finish` are effects: each is called once.

    An effect raises `AnswerLost` if it may have happened: look before anything else is done. After every other
    ConnectorError nothing happened: `Refused` (`failure.tag` says why), `Throttled` and `TryLater` (nothing was sent,
    or the vendor did not begin; `failure.tag` is set where it is busy), and the errors of every call. An effect never
    waits, because the look before it grows old; only a refused token is renewed once.
    """

    def make_room(self, calls: int) -> None:
        """Wait now, so that so many calls can be made in a row. Raises Throttled where that would take too long."""
        ...

    def look(self, external_ids: Sequence[str]) -> list[Look]:
        """What the vendor says about these accounts now, in their order. Raises ConnectorError."""
        ...

    def withdraw(
        self, external_id: str, *, wipe: bool = False, destination: str = "", transfer_admin: str = ""
    ) -> Effect:
        """Take the account out of the tenant. With a destination its files go there at once, for good."""
        ...

    def restore(self, external_id: str) -> Effect:
        """Bring a withdrawn account back."""
        ...

    def finish(self, external_id: str, *, destination: str, transfer_admin: str) -> Effect:
        """Hand the files of a withdrawn account to another one. Afterwards it cannot be restored."""
        ...

    def ask(self, step: str, job: str) -> Effect:
        """How far the vendor is with what `step` (withdraw or finish) handed out as `job`.

        Raises TryLater when it could not be asked, and AnswerLost when the vendor lost the job: then only `look` tells.
        """
        ...

    def recent(self, seats: Sequence[Seat], since: dt.datetime) -> Uses:
        """The use of these seats since then, asked from the vendor now, folded as `activity` folds it.

        Every row has the `external_id` of one of the seats. `counters["set_aside"]` says how many events could not be
        read, and `came_back` which of the seats were restored or joined again, as `returned` does for many at once. A
        seat that the vendor's log cannot be asked about is left to `look`.
        """
        ...

    def finished(self, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        """Those of these accounts of which the vendor's log says that their files were handed over since then."""
        ...

    def returned(self, external_ids: Sequence[str], since: dt.datetime) -> set[str]:
        """Those of these accounts of which the vendor's log says that they were restored or joined again since then."""
        ...


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A registry row: everything the application knows about a vendor without calling it.

    - `connector`: "module:Class".
    - `endpoints`: the vendor's public addresses. A deployment may override each by a setting, see `setting_names`.
    - `authorize_params`: added to every consent link. `switch_account_params`: added only where the admin asked to
      choose another vendor account.
    - `app_steps`: how to create the vendor's app, in order. {scopes} and {redirect_url} mark the steps that come with
      these values to copy.
    - `activity_types`: what counts as use, and why.
    - `bounded_log`: whether the vendor's log can be read until a moment of the past, see `Connector.activity`.
    - `session_scope`: the scope for device sessions, a second signal. A consent asks for it only on demand.
    - `removal`: how seats are taken back; None where this version cannot.
    """

    key: str
    label: str
    profile_type: str
    alias_name: str
    publisher: str
    connector: str
    endpoints: Endpoints
    processes: tuple[VendorProcess, ...]
    authorize_params: dict[str, str] = field(default_factory=dict)
    switch_account_params: dict[str, str] = field(default_factory=dict)
    seat_types: tuple[SeatType, ...] = ()
    app_steps: tuple[str, ...] = ()
    activity_types: tuple[ActivityType, ...] = ()
    bounded_log: bool = False
    session_scope: str = ""
    removal: Removal | None = None

    def setting_names(self) -> dict[str, str]:
        """The deployment setting that overrides each endpoint field, such as DROPBOX_API_URL for `api_url`."""
        return {name: f"{self.key.upper()}_{name.upper()}" for name in ("authorize_url", "token_url", "api_url")}

    def endpoints_from(self, lookup: Callable[[str, str], str]) -> Endpoints:
        """The endpoints of this deployment. `lookup(setting_name, default)` reads its settings."""
        found = {name: lookup(key, getattr(self.endpoints, name)) for name, key in self.setting_names().items()}
        found["api_url"] = found["api_url"].rstrip("/").removesuffix(self.endpoints.api_version)
        return replace(self.endpoints, **found)

    def scopes(self, *purposes: str) -> tuple[str, ...]:
        """Every scope to ask for, sorted, for the processes of these credential purposes (all when none is named)."""
        wanted = [process for process in self.processes if not purposes or process.purpose in purposes]
        return tuple(sorted({s for process in wanted for s in (*process.scopes, *process.recommended_scopes)}))

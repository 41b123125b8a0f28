"""What every vendor connector offers, what it hands back and how it fails.

Plain Python: nothing below `profiles.connectors` knows Django or Celery. A connector turns a vendor's words into the
records of this module; errors are named by what a person or a job can do about them.
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
)
from profiles.connectors.text import plain as plain

DOWNLOAD = "download_subscriptions"
MATCH = "match_people"
VALIDATE = "validate_connection"
ACTIVITY = "pull_activity"
IMPORT = "import_people"
RECLAIM = "reclaim"

SUBSCRIPTIONS = "subscriptions"
RECLAMATION = "reclamation"


@dataclass(frozen=True, kw_only=True)
class VendorProcess:
    """One thing we do with a vendor: the scopes and the vendor role it needs, and the credential purpose it uses.

    `scopes` are needed: without one the process is off. `recommended_scopes` are asked for as well, and their absence
    is worth a note, never a failure. `purpose` RECLAMATION means: the reclamation credential where the alias has one,
    else the credential for SUBSCRIPTIONS.
    """

    key: str
    label: str
    scopes: tuple[str, ...]
    vendor_role: str
    optional: bool = True
    recommended_scopes: tuple[str, ...] = ()
    purpose: str = SUBSCRIPTIONS
    vendor_role_note: str = ""


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where a vendor lives. From deployment settings only, never from a form.

    `revoke_path` is below `api_url`; empty means the vendor has no call that ends a grant. `request_id_header` names
    the header by which the vendor identifies an answer to its support. `api_version` is the path every API address
    begins with: vendors write their base address with it or without, and so may a deployment.
    """

    authorize_url: str
    token_url: str
    api_url: str
    revoke_path: str = ""
    request_id_header: str = ""
    api_version: str = ""


@dataclass(frozen=True, kw_only=True)
class SeatType:
    """What a subscription identifier means: its software model, and whether a seat uses a license."""

    identifier: str
    publisher: str
    product: str
    edition: str
    consumes_license: bool = True


class Seat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One account in one tenant, in our words. Times are aware and UTC; empty text means the vendor did not say.

    `status` is one of active, invited, suspended, removed, unknown; `vendor_status` is the vendor's own word.
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
    assigned_at: dt.datetime | None = None
    invited_at: dt.datetime | None = None
    suspended_at: dt.datetime | None = None


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A record we could not read. `external_id` is set where the record still told who it is about."""

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


class TokenSource(Protocol):
    """Gives a valid access token. `renew(stale)` is called once after the vendor called `stale` expired."""

    def access_token(self) -> str: ...

    def renew(self, stale: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How a connector behaves towards a vendor. Seconds, bytes and records.

    `deadline` bounds the time one call spends on the wire, all its attempts together; `max_bytes` the answer after
    decompression; `attempts` the tries of a call that may be repeated; `backoff` the first pause between them;
    `max_wait` the longest pause a job sits through, above which it ends as Throttled and goes on later;
    `requests_per_minute` the most calls this connector makes, None for as fast as the vendor answers.
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
    """What a connector did so far, for the run that shows it. `clock_skew` is vendor minus us, in seconds."""

    requests: int = 0
    retries: int = 0
    received_bytes: int = 0
    throttled_seconds: float = 0.0
    clock_skew: float | None = None


Wait = Callable[[float, str], None]


class Connector(Protocol):
    """A vendor, seen by the jobs. Lists are iterators of `Page`; a cursor resumes where a page ended."""

    @property
    def counters(self) -> Counters: ...

    def team(self) -> Team: ...

    def admin(self) -> Admin | None: ...

    def seats(self, cursor: str = "") -> Iterator[Page]: ...

    def activity(self, since: dt.datetime, cursor: str = "") -> Iterator[ActivityPage]:
        """Every event from `since` on, or from where `cursor` ended. Raises ListingReset for a forgotten cursor."""
        ...

    def sessions(self) -> Iterator[ActivityPage]:
        """The latest activity of every device session, a second signal. Raises MissingScope where it may not ask."""
        ...

    def file_events(self) -> bool | None:
        """Whether the tenant's plan records file events; None where the vendor does not say."""
        ...

    def probe(self, process: str) -> str:
        """Try what a process needs without changing anything; what was seen, in a sentence. Raises ConnectorError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A registry row: everything the application knows of a vendor without talking to it.

    `connector` is "module:Class". `endpoints` are the vendor's public addresses; a deployment may override each by a
    setting, see `setting_names`. `authorize_params` go onto every consent link; `switch_account_params` only where
    the admin asked to choose another vendor account. `app_steps` tell how to make the vendor's app, in order;
    {scopes} and {redirect_url} mark the steps that come with these values to copy. `activity_types` explain what
    counts as use; with `session_scope` granted, device sessions are a second signal (asked for on demand only).
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
    session_scope: str = ""

    def setting_names(self) -> dict[str, str]:
        """Endpoint field -> the name of the deployment setting that overrides it, such as DROPBOX_API_URL."""
        return {name: f"{self.key.upper()}_{name.upper()}" for name in ("authorize_url", "token_url", "api_url")}

    def endpoints_from(self, lookup: Callable[[str, str], str]) -> Endpoints:
        """The endpoints of this deployment; `lookup(setting_name, default)` answers from its settings."""
        found = {name: lookup(key, getattr(self.endpoints, name)) for name, key in self.setting_names().items()}
        found["api_url"] = found["api_url"].rstrip("/").removesuffix(self.endpoints.api_version)
        return replace(self.endpoints, **found)

    def scopes(self, *purposes: str) -> tuple[str, ...]:
        """Every scope to ask for, sorted, for the processes of these credential purposes (all when none is named)."""
        wanted = [process for process in self.processes if not purposes or process.purpose in purposes]
        return tuple(sorted({s for process in wanted for s in (*process.scopes, *process.recommended_scopes)}))

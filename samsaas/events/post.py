"""Post something to an address that a person entered. It cannot reach private networks, and nobody waits long for it.

requests-hardened looks the name up once, refuses an address of a private network, and connects to that address only.
The whole exchange has a deadline, redirects are not followed, proxies of the environment are not asked, and 2 KB of the
answer are read. Hosts named in WEBHOOK_HOSTS_INSIDE are exempt from the first: they may be private, and plain http.
"""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from profiles.connectors.addresses import UnsafeAddress, require_secure
from profiles.connectors.deadline import Watchdog, WatchedAdapter
from profiles.connectors.transport import BoundedSession

TIMEOUT, WHOLE_SECONDS = (5, 10), 15.0
MOST_BYTES = 2048
PRIVATE = "The address leads into a private network, so nothing was sent."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HookAnswer:
    """`status` is None where nothing was answered; `words` say what was, or why nothing."""

    status: int | None
    words: str

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def address_problem(url: str) -> str:
    """Why nothing can be sent to the address; empty if something may. It looks no name up."""
    parts = urlsplit(url)
    if is_inside(parts.hostname or ""):
        return "" if parts.scheme in ("http", "https") else "Use http:// or https://."
    try:
        require_secure(url)
    except UnsafeAddress:
        return "Use an address that begins with https:// and names a host plainly."
    if parts.scheme != "https" or parts.username or _is_private(parts.hostname or ""):
        return "Use an https:// address of a host that everybody can reach, without a user or password."
    return ""


def is_inside(host: str) -> bool:
    """Whether the deployment allows this host although it may be in a private network."""
    return host.lower() in settings.WEBHOOK_HOSTS_INSIDE


def post(url: str, body: bytes, headers: dict[str, str]) -> HookAnswer:
    """Send it once, and say what was answered. It raises nothing."""
    if problem := address_problem(url):
        return HookAnswer(None, problem)
    try:
        with Watchdog(WHOLE_SECONDS), _open_session(url) as session:
            sent = session.post(url, data=body, headers=headers, stream=True, allow_redirects=False, timeout=TIMEOUT)
            with sent as answer:
                return HookAnswer(answer.status_code, _read(answer))
    except InvalidIPAddress:
        return HookAnswer(None, PRIVATE)
    except (requests.RequestException, OSError, ValueError) as error:
        log.info("A webhook was not reached: %s", type(error).__name__)
        return HookAnswer(None, f"Nothing was answered ({type(error).__name__}).")


def _open_session(url: str) -> BoundedSession:
    session = BoundedSession()
    session.fit_for(url)
    session.trust_env = False
    if not is_inside(urlsplit(url).hostname or ""):
        session.mount("https://", _FilteredAdapter())
    return session


class _FilteredAdapter(IPFilterAdapter, WatchedAdapter):
    """Only public addresses, and within the deadline."""

    def __init__(self) -> None:
        IPFilterAdapter.__init__(self, is_https_proto=True)


def _read(answer: requests.Response) -> str:
    """The beginning of what was answered."""
    text = " ".join(next(answer.iter_content(MOST_BYTES), b"").decode("utf-8", "replace").split())
    return f"{answer.status_code} {text}"[:300]


def _is_private(host: str) -> bool:
    """Whether the host is a number of a private network. A name is looked up when something is sent."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host.lower() == "localhost"

"""One bounded HTTP exchange: a total deadline, a limit of bytes, no redirects, TLS or loopback only.

The timeout of `requests` counts per read; the module `deadline` ends the whole exchange.
"""

from __future__ import annotations

import logging
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from profiles.connectors.addresses import (
    UnsafeAddress as UnsafeAddress,
    is_loopback as is_loopback,
    require_secure as require_secure,
)
from profiles.connectors.base import AnswerLost, ConnectorError, Failure, TryLater
from profiles.connectors.deadline import Watchdog, WatchedAdapter

CHUNK = 2 * 1024 * 1024
USER_AGENT = "samsaas"
OWN_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer: the status, case-insensitive headers, and the whole body, decompressed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes."""
        return self.body.decode("utf-8", "replace")


class GaveUp(AnswerLost):
    """The answer was too slow or too large, so an immediate retry would not help."""


def quiet_loggers() -> None:
    """Keep tokens out of logs: at DEBUG these libraries write headers, bodies and secrets."""
    for name in ("requests_oauthlib", "oauthlib", "urllib3"):
        logger = logging.getLogger(name)
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)


class BoundedSession(requests.Session):
    """A `requests` session for `exchange`: watched sockets, redirects neither followed nor read, no cookies."""

    def fit_for(self, url: str) -> None:
        """Mount the watched adapters. For calls to this machine, ignore proxies from the environment."""
        self.mount("https://", WatchedAdapter())
        self.mount("http://", WatchedAdapter())
        self.headers["User-Agent"] = USER_AGENT
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.trust_env = not is_loopback(url)
        if not self.trust_env:
            # Keep a certificate authority named in the environment: without trust_env, requests ignores that as well.
            self.verify = next((path for name in OWN_AUTHORITIES if (path := os.environ.get(name))), True)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        # Even with allow_redirects=False, requests reads the whole body of a redirect with a target, without limit.
        return None


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Seconds to connect, seconds per read, seconds in all, and bytes of the decompressed answer."""

    connect: float
    read: float
    total: float
    max_bytes: int


def exchange(
    session: requests.Session, url: str, body: bytes | None, headers: Mapping[str, str], bounds: Bounds
) -> Answer:
    """POST once and read the whole answer, whatever its status. Without a body it is a GET.

    Raises TryLater when nothing was sent, AnswerLost when the request may have arrived, and GaveUp when its answer was
    too slow or too large.
    """
    started = time.monotonic()
    timeout = (min(bounds.connect, bounds.total), min(bounds.read, bounds.total))
    with Watchdog(bounds.total) as watchdog:
        try:
            with session.request(
                "GET" if body is None else "POST",
                require_secure(url),
                data=body,
                headers=dict(headers),
                timeout=timeout,
                stream=True,
                allow_redirects=False,
            ) as response:
                whole = _read_body(response, started + bounds.total, bounds.max_bytes)
        except ConnectorError:
            raise
        except (requests.RequestException, HTTPError, OSError, zlib.error) as error:
            raise _failed_exchange(url, error, watchdog, bounds.total) from error
        if watchdog.expired:
            raise _failed_exchange(url, None, watchdog, bounds.total)
    return Answer(status=response.status_code, headers=response.headers, body=whole)


def exchange_once(url: str, body: bytes | None, headers: Mapping[str, str], bounds: Bounds) -> Answer:
    """`exchange` on a new connection, with no credentials but those in `headers`."""
    with BoundedSession() as session:
        session.fit_for(url)
        session.auth = _send_unchanged  # otherwise requests replaces our Authorization header by a .netrc entry
        return exchange(session, url, body, headers, bounds)


def _send_unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read_body(response: requests.Response, ends: float, max_bytes: int) -> bytes:
    """The whole body. A gzipped one is unpacked here in one step, because urllib3 would copy it five times."""
    packed = response.headers.get("Content-Encoding", "").strip().lower() == "gzip"
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(CHUNK, decode_content=not packed):
        size += len(piece)
        if size > max_bytes:
            raise _too_large(response, max_bytes)
        if time.monotonic() > ends:
            raise TimeoutError("the total deadline is over")
        pieces.append(piece)
    whole = b"".join(pieces)
    return _unpack_gzip(whole, response, max_bytes) if packed and whole else whole


def _unpack_gzip(packed: bytes, response: requests.Response, max_bytes: int) -> bytes:
    """Unpack a gzipped body. Raises zlib.error where it is not gzip, or not complete."""
    unpacking = zlib.decompressobj(wbits=31)
    whole = unpacking.decompress(packed, max_bytes + 1)
    if len(whole) > max_bytes:
        raise _too_large(response, max_bytes)
    if not unpacking.eof:
        raise zlib.error("the packed answer ends too early")
    return whole


def _too_large(response: requests.Response, max_bytes: int) -> GaveUp:
    failure = Failure(endpoint=urlsplit(response.url).path, status=response.status_code)
    return GaveUp(f"The answer is larger than {max_bytes:,} bytes.", failure=failure)


def _failed_exchange(url: str, error: Exception | None, watchdog: Watchdog, seconds: float) -> TryLater:
    parts = urlsplit(url)
    failure = Failure(endpoint=parts.path)
    too_slow = watchdog.expired or str(error) == "the total deadline is over"
    if not watchdog.reached:
        # Also when the time went by looking up the name, connecting or agreeing on TLS.
        why = f"within {seconds:g} seconds" if too_slow else f"({type(error).__name__})"
        return TryLater(f"No connection to {parts.hostname} {why}.", failure=failure)
    if too_slow:
        return GaveUp(f"{parts.hostname} did not answer completely within {seconds:g} seconds.", failure=failure)
    return AnswerLost(f"The answer of {parts.hostname} was lost ({type(error).__name__}).", failure=failure)

"""Calls to a vendor's API over one kept connection: the token, retries, waiting, and errors named by remedy.

Vendor-neutral: what a 4xx answer means is the vendor's `Dialect`. One session serves one run of one tenant.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from secrets import SystemRandom
from typing import Any, Protocol

import requests
from oauthlib.oauth2.rfc6749.tokens import prepare_bearer_headers
from requests_oauthlib import OAuth2Session

from profiles.connectors.base import (
    ConnectorError,
    Counters,
    Failure,
    Limits,
    ProtocolError,
    Reconnect,
    StaleToken,
    Throttled,
    TokenSource,
    TryLater,
    Wait,
)
from profiles.connectors.failures import failure_of, hide_secrets
from profiles.connectors.transport import (
    Answer,
    BoundedSession,
    Bounds,
    GaveUp,
    exchange,
    is_loopback,
    quiet_loggers,
    require_secure,
)

SHORTEST_WAIT = 1.0
PACE = "Keeping to the alias's rate limit."
LONGEST_WAIT = 3600.0
_jitter = SystemRandom()


class Dialect(Protocol):
    """How one vendor words its refusals."""

    request_id_header: str

    def judge(self, answer: Answer, failure: Failure) -> ConnectorError:
        """The error for a 4xx other than 429.

        After StaleToken the call is repeated with a new token, after TryLater as it was.
        """
        ...

    def retry_after(self, answer: Answer) -> float | None:
        """Seconds to wait according to the body of a 429; None where it does not say."""
        ...


class _TokenSession(BoundedSession, OAuth2Session):
    """An OAuth2Session that allows plain http to this machine, where the sandbox runs.

    The library's own switch for plain http is an environment variable, which would allow it for every host.
    """

    def __init__(self, client_id: str) -> None:
        OAuth2Session.__init__(self, client_id=client_id)

    def request(self, method: str, url: str, headers: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        if not is_loopback(url):
            return OAuth2Session.request(self, method, url, headers=headers, **kwargs)
        with_token = prepare_bearer_headers(self.token["access_token"], dict(headers or {}))
        return requests.Session.request(self, method, url, headers=with_token, **kwargs)


class VendorSession:
    """Calls one vendor's API for one tenant. Tokens come from `token_source`, also when they have to be renewed.

    It calls `wait(seconds, reason)` instead of sleeping, so that a job can show the wait and keep its lease.
    """

    def __init__(
        self, *, client_id: str, token_source: TokenSource, dialect: Dialect, limits: Limits, wait: Wait, api_url: str
    ) -> None:
        quiet_loggers()
        self.counters = Counters()
        self._tokens = token_source
        self._dialect = dialect
        self._limits = limits
        self._wait = wait
        self._next_call = 0.0
        self._session = _TokenSession(client_id)
        self._session.fit_for(require_secure(api_url))

    def post(self, url: str, body: bytes, *, repeatable: bool = True) -> Answer:
        """POST JSON and return the 2xx answer; every other outcome is a ConnectorError.

        `repeatable` calls are tried `limits.attempts` times in an outage. A call with an effect is tried once: after
        AnswerLost nobody knows whether it took effect. A refused token or a 429 had no effect, so both kinds are
        repeated.
        """
        limits, budget = self._limits, self._limits.deadline
        token, renewed, outages, throttles = self._fetch_token(self._tokens.access_token), False, 0, 0
        while True:
            self._keep_pace()
            began = time.monotonic()
            try:
                return self._post_once(url, body, token, budget)
            except Reconnect as refusal:
                if renewed:
                    raise
                token, renewed = self._another_token(refusal, token), True
            except Throttled as error:
                # A vendor that asks for one second again and again needs more.
                error.retry_after = max(error.retry_after, limits.backoff * 2**throttles)
                throttles += 1
                if throttles >= limits.attempts or error.retry_after > limits.max_wait:
                    raise
                self._pause_for(error.retry_after, "The vendor asked us to slow down.", throttled=True)
            except TryLater as error:
                outages += 1
                budget -= time.monotonic() - began
                if not repeatable or outages >= limits.attempts or budget <= 0 or isinstance(error, GaveUp):
                    raise
                self._back_off(outages)
            self.counters.retries += 1

    def _keep_pace(self) -> None:
        """Leave the same time between any two calls, retries included.

        The limit is ours, so this does not count as throttling.
        """
        if not self._limits.requests_per_minute:
            return
        now = time.monotonic()
        if self._next_call > now:
            self._wait(self._next_call - now, PACE)
        self._next_call = max(self._next_call, now) + 60 / self._limits.requests_per_minute

    def _fetch_token(self, ask: Callable[[], str]) -> str:
        """A token. In an outage of the token address it is asked for again: refreshing twice does no harm."""
        outages = 0
        while True:
            try:
                return ask()
            except TryLater as error:
                outages += 1
                if outages >= self._limits.attempts or isinstance(error, GaveUp):
                    raise
                self._back_off(outages)
                self.counters.retries += 1

    def _another_token(self, refusal: Reconnect, refused: str) -> str:
        """Another token to try after a refusal: a renewed one after expiry, that of a newer consent after a revocation.

        Raises the refusal where there is no other token.
        """
        if isinstance(refusal, StaleToken):
            return self._fetch_token(lambda: self._tokens.renew(refused))
        current = self._tokens.access_token()
        if current == refused:
            raise refusal
        return current

    def _post_once(self, url: str, body: bytes, token: str, seconds: float) -> Answer:
        limits = self._limits
        bounds = Bounds(
            connect=limits.connect_timeout, read=limits.read_timeout, total=seconds, max_bytes=limits.max_bytes
        )
        self._session.token = {"access_token": token, "token_type": "Bearer"}
        self.counters.requests += 1
        answer = hide_secrets(exchange(self._session, url, body, {"Content-Type": "application/json"}, bounds), token)
        self.counters.received_bytes += len(answer.body)
        self._compare_clocks(answer)
        if 200 <= answer.status < 300:
            return answer
        raise self._error_of(answer, failure_of(answer, url, self._dialect.request_id_header))

    def _error_of(self, answer: Answer, failure: Failure) -> ConnectorError:
        if answer.status == 429:
            seconds = retry_after(answer, self._dialect.retry_after(answer))
            return Throttled(f"The vendor asks us to wait {seconds:g} seconds.", retry_after=seconds, failure=failure)
        if answer.status >= 500:
            return TryLater(f"The vendor answered with status {answer.status}.", failure=failure)
        if answer.status < 400:
            return ProtocolError(f"The vendor's API answered with status {answer.status}.", failure=failure)
        return self._dialect.judge(answer, failure)

    def _back_off(self, outages: int) -> None:
        pause = self._limits.backoff * 2 ** (outages - 1) * _jitter.uniform(0.5, 1.5)
        self._pause_for(min(pause, self._limits.max_wait), "The vendor is in trouble; trying again.")

    def _pause_for(self, seconds: float, reason: str, *, throttled: bool = False) -> None:
        if throttled:
            self.counters.throttled_seconds += seconds
        self._wait(seconds, reason)

    def _compare_clocks(self, answer: Answer) -> None:
        theirs = _http_date(answer.headers.get("Date", ""))
        if theirs is not None:
            self.counters.clock_skew = (theirs - dt.datetime.now(dt.UTC)).total_seconds()


def retry_after(answer: Answer, seconds_in_body: float | None = None) -> float:
    """Seconds to wait after a 429, between 1 and 3,600.

    The header wins over the body; an unreadable value is ignored.
    """
    header = answer.headers.get("Retry-After", "").strip()
    seconds: float | None = None
    if re.fullmatch(r"[0-9]{1,40}(\.[0-9]{1,9})?", header):
        seconds = float(header)
    elif (until := _http_date(header)) is not None:
        seconds = (until - (_http_date(answer.headers.get("Date", "")) or dt.datetime.now(dt.UTC))).total_seconds()
    if seconds is None:
        seconds = seconds_in_body
    if seconds is None or not math.isfinite(seconds):
        seconds = SHORTEST_WAIT
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def _http_date(value: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)

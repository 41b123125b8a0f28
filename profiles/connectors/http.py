"""Calls to a vendor's API over one kept connection: the token, retries, waiting, and errors named by remedy.

Vendor-neutral: what a 4xx answer means is the vendor's `Dialect`. One session serves one run of one tenant.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from functools import partial
from secrets import SystemRandom
from typing import Any, Protocol, TypeVar, cast

import requests
from oauthlib.oauth2.rfc6749.tokens import prepare_bearer_headers
from requests_oauthlib import OAuth2Session

from profiles.connectors import refusals
from profiles.connectors.base import (
    AnswerLost,
    ConnectorError,
    Counters,
    Failure,
    Limits,
    StaleToken,
    Throttled,
    TokenSource,
    TryLater,
    UnreadableAnswer,
    Wait,
)
from profiles.connectors.bodies import fingerprint_of
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
from profiles.connectors.waiting import (
    LONGEST_WAIT as LONGEST_WAIT,
    http_date,
    retry_after as retry_after,
)

TOLD_TO_WAIT = "The vendor asked us to wait, and the time is not over."
PACE = "Keeping to the alias's rate limit."
LOOK_FIRST = "Nobody knows whether it took effect. The account is looked at again before anything else is done."
_jitter = SystemRandom()
Read = TypeVar("Read")


class Dialect(Protocol):
    """How one vendor words its refusals."""

    request_id_header: str

    def judge(self, answer: Answer, failure: Failure) -> ConnectorError:
        """The error for a 4xx other than 407, 408, 425 and 429.

        After StaleToken the call is repeated with a new token, after TryLater as it was. Secrets are hidden already.
        """
        ...

    def retry_after(self, answer: Answer) -> float | None:
        """Seconds to wait according to the body of a 429; None where it does not say."""
        ...


def note_form(forms: set[str], error: TryLater | UnreadableAnswer) -> None:
    """Collect the forms of unreadable answers, and clear the error's own form where there were others before it."""
    forms.add(error.fingerprint if isinstance(error, UnreadableAnswer) else "")
    if isinstance(error, UnreadableAnswer) and len(forms) > 1:
        error.fingerprint = ""


def _fetch_at_once(ask: Callable[[], str]) -> str:
    """A token for a call with an effect. Without one nothing was sent, so no answer of the call can be lost."""
    try:
        return ask()
    except (AnswerLost, UnreadableAnswer) as error:
        raise TryLater(str(error), failure=error.failure) from error


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
        self._not_before = 0.0
        self._room = 0
        self._session = _TokenSession(client_id)
        self._session.fit_for(require_secure(api_url))

    def post(self, url: str, body: bytes, read: Callable[[Answer], Read], *, repeatable: bool) -> Read:
        """POST JSON and return what `read` makes of the 2xx answer; every other outcome is a ConnectorError.

        `read` raises ValueError for a body that it cannot read. `repeatable` calls are tried `limits.attempts` times in
        an outage or after an unreadable answer. Every other call has an effect: see `_call_once`.
        """
        if not repeatable:
            return self._call_once(url, body, read)
        limits, budget = self._limits, self._limits.deadline
        token, renewed, outages, throttles = self._fetch_token(self._tokens.access_token), False, 0, 0
        forms: set[str] = set()
        while True:
            self._sit_out_the_rest()
            self._keep_pace()
            began = time.monotonic()
            try:
                return self._read_once(url, body, token, budget, read)
            except StaleToken:
                if renewed:
                    raise
                token, renewed = self._fetch_token(partial(self._tokens.renew, token)), True
            except Throttled as error:
                # A vendor that asks for one second again and again needs more.
                error.retry_after = max(error.retry_after, limits.backoff * 2**throttles)
                throttles += 1
                self._sit_out(error, throttles)
            except (TryLater, UnreadableAnswer) as error:
                outages += 1
                budget -= time.monotonic() - began
                note_form(forms, error)
                if outages >= limits.attempts or budget <= 0 or isinstance(error, GaveUp):
                    raise
                self._back_off(outages)
            self.counters.retries += 1

    def _call_once(self, url: str, body: bytes, read: Callable[[Answer], Read]) -> Read:
        """A call with an effect. It is sent once, and at once, because what was looked at before it grows old.

        Raises AnswerLost if it may have taken effect; after any other error it did not. A refused token had no effect:
        then the call is made again with a new one. A 429 had none either, but how long to wait is for the caller.
        """
        token = _fetch_at_once(self._tokens.access_token)
        try:
            return self._send_effect(url, body, token, read)
        except StaleToken:
            token = _fetch_at_once(partial(self._tokens.renew, token))
            self.counters.retries += 1
            return self._send_effect(url, body, token, read)

    def _send_effect(self, url: str, body: bytes, token: str, read: Callable[[Answer], Read]) -> Read:
        if (left := self._not_before - time.monotonic()) > 0:
            raise Throttled(TOLD_TO_WAIT, retry_after=left)
        self._keep_pace(waiting=False)
        try:
            return self._read_once(url, body, token, self._limits.deadline, read)
        except ConnectorError as error:
            if refusals.may_have_happened(error):
                raise AnswerLost(str(error), failure=error.failure, remedy=LOOK_FIRST) from error
            raise

    def make_room(self, calls: int) -> None:
        """Wait now for what the next calls would wait for between them. The calls after them wait longer.

        Their first answer would otherwise be too old by the last of them. Raises Throttled where that takes too long.
        """
        self._sit_out_the_rest()
        left = self._next_call - time.monotonic()
        if self._limits.requests_per_minute and left > 0:
            self._wait(left, PACE)
        self._room = calls

    def _keep_pace(self, *, waiting: bool = True) -> None:
        """Leave the same time between any two calls, retries included.

        The limit is ours, so this does not count as throttling. A call that cannot wait makes the next one wait longer.
        """
        if not self._limits.requests_per_minute:
            return
        now = time.monotonic()
        if waiting and not self._room and self._next_call > now:
            self._wait(self._next_call - now, PACE)
        self._room = max(0, self._room - waiting)
        self._next_call = max(self._next_call, now) + 60 / self._limits.requests_per_minute

    def _fetch_token(self, ask: Callable[[], str]) -> str:
        """A token. In an outage of the token address it is asked for again: refreshing twice does no harm."""
        outages = throttles = 0
        forms: set[str] = set()
        while True:
            try:
                return ask()
            except Throttled as error:
                throttles += 1
                self._sit_out(error, throttles)
            except (TryLater, UnreadableAnswer) as error:
                outages += 1
                note_form(forms, error)
                if outages >= self._limits.attempts or isinstance(error, GaveUp):
                    raise
                self._back_off(outages)
            self.counters.retries += 1

    def _sit_out_the_rest(self) -> None:
        """Wait until the time is over for which an earlier call was told to wait: limits count per team, not per call.

        Calls that a vendor refuses for coming too early count as well. Raises Throttled where the time is too long.
        """
        if (left := self._not_before - time.monotonic()) > 0:
            self._sit_out(Throttled(TOLD_TO_WAIT, retry_after=left), 0)

    def _sit_out(self, error: Throttled, throttles: int) -> None:
        """Wait as long as the vendor asks; raises the error where that is too long or was asked too often."""
        if throttles >= self._limits.attempts or error.retry_after > self._limits.max_wait:
            raise error
        self._pause_for(error.retry_after, "The vendor asked us to slow down.", throttled=True)

    def _read_once(self, url: str, body: bytes, token: str, seconds: float, read: Callable[[Answer], Read]) -> Read:
        answer = self._post_once(url, body, token, seconds)
        try:
            return read(answer)
        except (ValueError, RecursionError) as error:
            raise self.unreadable_answer(url, answer, str(error)) from error

    def unreadable_answer(self, url: str, answer: Answer, reason: str) -> UnreadableAnswer:
        """The error for a 2xx whose body is not what the call documents."""
        failure = failure_of(self._without_secrets(answer), url, self._dialect.request_id_header)
        form = fingerprint_of(failure.endpoint, answer)
        error = refusals.error_of(refusals.UNREADABLE, failure, reason=reason, fingerprint=form)
        return cast(UnreadableAnswer, error)

    def _without_secrets(self, answer: Answer) -> Answer:
        return hide_secrets(answer, *self._tokens.secrets())

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
        raise self._error_of(self._without_secrets(answer), url)

    def _error_of(self, answer: Answer, url: str) -> ConnectorError:
        failure = failure_of(answer, url, self._dialect.request_id_header)
        reply = refusals.Reply(status=answer.status, form=refusals.form_of(answer))
        line = refusals.find_refusal(refusals.EVERY_VENDOR, reply)
        if line is None:
            return self._dialect.judge(answer, failure)
        if line is refusals.RATE_LIMIT:
            seconds = retry_after(answer, self._dialect.retry_after(answer))
            self._not_before = time.monotonic() + seconds
            return refusals.error_of(line, failure, reason=f"{seconds:g}", retry_after=seconds)
        return refusals.error_of(line, failure)

    def _back_off(self, outages: int) -> None:
        pause = self._limits.backoff * 2 ** (outages - 1) * _jitter.uniform(0.5, 1.5)
        self._pause_for(min(pause, self._limits.max_wait), "The vendor is in trouble; trying again.")

    def _pause_for(self, seconds: float, reason: str, *, throttled: bool = False) -> None:
        if throttled:
            self.counters.throttled_seconds += seconds
        self._wait(seconds, reason)
        if throttled:
            self._not_before = 0.0

    def _compare_clocks(self, answer: Answer) -> None:
        theirs = http_date(answer.headers.get("Date", ""))
        if theirs is not None:
            self.counters.clock_skew = (theirs - dt.datetime.now(dt.UTC)).total_seconds()

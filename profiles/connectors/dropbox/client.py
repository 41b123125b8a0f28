"""Dropbox's RPC calls, and the words of Dropbox's refusals.

Every call is a POST to `/2/<route>`. A route without arguments takes the JSON text `null`, and answers `{}` with a 400.
Look at the status first, then at the media type: a 400 is text, a 409 is JSON, a 429 may be either.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from profiles.connectors.base import (
    ConnectorError,
    Failure,
    ListingReset,
    MissingScope,
    ProtocolError,
    Reconnect,
    Refused,
    StaleToken,
    TryLater,
    plain,
)
from profiles.connectors.failures import failure_of
from profiles.connectors.http import VendorSession
from profiles.connectors.transport import Answer

REQUEST_ID_HEADER = "X-Dropbox-Request-Id"
VOID = b"null"
Decoded = TypeVar("Decoded")

RESTARTS = {
    "team/members/list/continue_v2": ("invalid_cursor", "reset"),
    "team_log/get_events/continue": ("bad_cursor", "reset"),
    "team/devices/list_members_devices": ("reset",),
}
NEEDS_TEAM = "Connect as a team admin of a Dropbox Business team: this is the token of a personal account."
SUSPENDED = "Restore the suspended admin in Dropbox, or press Get OAuth Token as another team admin."
NOT_TICKED = re.compile(r"does not have the required scope '([\w.]{1,100})'")
NO_TOKEN = ("access token is malformed", "Invalid authorization value")
NOBODY_THERE = "Nothing was changed. Check DROPBOX_API_URL in the deployment settings (manage.py doctor)."


class _Error(msgspec.Struct):
    """The error envelope. `error` is a tagged struct; Dropbox's SDK also accepts a bare string."""

    error: Any = None
    error_summary: str | None = None
    user_message: Any = None

    @property
    def tag(self) -> str:
        tag = self.error.get(".tag") if isinstance(self.error, dict) else self.error
        return plain(tag, 200) if isinstance(tag, str) else ""

    @property
    def words(self) -> str:
        """Dropbox's sentence for people, where it sent one."""
        text = self.user_message.get("text") if isinstance(self.user_message, dict) else self.user_message
        return plain(text, 500) if isinstance(text, str) else ""

    def text(self, key: str) -> str:
        value = self.error.get(key) if isinstance(self.error, dict) else None
        return plain(value, 200) if isinstance(value, str) else ""


class DropboxDialect:
    """Dropbox's 4xx answers as errors by remedy (Dropbox error handling guide; `auth.stone`)."""

    request_id_header = REQUEST_ID_HEADER

    def judge(self, answer: Answer, failure: Failure) -> ConnectorError:
        envelope = _read_envelope(answer)
        failure = replace(failure, tag=envelope.tag if envelope else "")
        if answer.status == 400:
            return _bad_request_error(answer, failure)
        if answer.status in (404, 405):
            return ProtocolError("There is no Dropbox API at this address.", failure=failure, remedy=NOBODY_THERE)
        if envelope is None:
            return TryLater(f"Dropbox answered with status {answer.status} and no reason.", failure=failure)
        if answer.status == 401:
            return _unauthorized_error(envelope, failure)
        if answer.status == 403:
            reason = envelope.words or f"Dropbox does not allow this: {envelope.tag or 'no reason given'}."
            return Refused(reason, failure=failure)
        if answer.status == 409:
            return _endpoint_error(envelope, failure)
        return ProtocolError(f"Dropbox answered with the unexpected status {answer.status}.", failure=failure)

    def retry_after(self, answer: Answer) -> float | None:
        envelope = _read_envelope(answer)
        seconds = envelope.error.get("retry_after") if envelope and isinstance(envelope.error, dict) else None
        # In Python a bool is an int too.
        return float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


def _read_envelope(answer: Answer) -> _Error | None:
    """The JSON error body; None where the body is not a JSON object. The media type is ignored: proxies change it."""
    try:
        return msgspec.json.decode(answer.body, type=_Error)
    except (ValueError, RecursionError):
        return None


def _bad_request_error(answer: Answer, failure: Failure) -> ConnectorError:
    text = plain(answer.text, 400)
    # Dropbox's front end sometimes answers 400 with a web page; clients repeat the call (watermint/toolbox, assert.go).
    if answer.content_type == "text/html" or text[:15].lower().startswith(("<!doctype", "<html")):
        return TryLater("Dropbox answered with a web page instead of an error.", failure=failure)
    # A scope that the token lacks is a 401. A scope that nobody ticked for the app is this sentence (floccus #2291).
    if unticked := NOT_TICKED.search(text):
        scope = unticked[1]
        return MissingScope(f"The Dropbox app lacks the scope {scope}.", scope=scope, failure=failure)
    # Text that cannot be a token is a 400; an unknown token is a 401 (dropbox-sdk-python #100).
    if any(words in text for words in NO_TOKEN):
        return Reconnect(f"Dropbox cannot read the stored access token: {text}", failure=failure)
    if "DfB team" in text or "single Dropbox account" in text:
        return Refused(f"Dropbox refused this token for a team call: {text}", failure=failure, remedy=NEEDS_TEAM)
    return ProtocolError(f"Dropbox could not read our request: {text}", failure=failure)


def _unauthorized_error(envelope: _Error, failure: Failure) -> ConnectorError:
    if envelope.tag == "expired_access_token":
        return StaleToken("Dropbox does not accept the renewed access token either.", failure=failure)
    if envelope.tag == "missing_scope":
        scope = envelope.text("required_scope")
        return MissingScope(
            f"The Dropbox connection lacks the scope {scope or '(not named)'}.", scope=scope, failure=failure
        )
    if envelope.tag == "user_suspended":
        return Refused("The admin who connected Dropbox is suspended.", failure=failure, remedy=SUSPENDED)
    if envelope.tag in ("invalid_select_user", "invalid_select_admin", "route_access_denied"):
        return Refused(f"Dropbox denies this call to the connected app: {envelope.tag}.", failure=failure)
    if envelope.tag == "invalid_access_token":
        return Reconnect("Dropbox no longer honors this connection: invalid_access_token.", failure=failure)
    # The union is open, and SDKs have met a bare "other". Only a tag that says so may end the grant.
    return Refused(f"Dropbox did not take this call: {envelope.tag or 'no reason given'}.", failure=failure)


def _endpoint_error(envelope: _Error, failure: Failure) -> ConnectorError:
    route = failure.endpoint.partition("/2/")[2]
    if envelope.tag in RESTARTS.get(route, ()):
        return ListingReset("Dropbox no longer accepts the cursor of this listing.", failure=failure)
    return Refused(envelope.words or f"Dropbox refused: {envelope.tag or 'no reason given'}.", failure=failure)


class DropboxClient:
    """Routes by name. `api_url` has no trailing slash and no version."""

    def __init__(self, session: VendorSession, api_url: str) -> None:
        self.session = session
        self._base = api_url.rstrip("/") + "/2/"

    def call(self, route: str, argument: dict[str, Any] | None = None, *, repeatable: bool = True) -> Answer:
        """The 2xx answer of a route; None is Dropbox's void argument."""
        body = VOID if argument is None else msgspec.json.encode(argument)
        return self.session.post(self._base + route, body, repeatable=repeatable)

    def read(self, route: str, shape: type[Decoded], argument: dict[str, Any] | None = None) -> Decoded:
        """A route's answer as a record; ProtocolError if it does not have this shape."""
        answer = self.call(route, argument)
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (ValueError, RecursionError) as error:
            raise self.unreadable_answer(route, answer, str(error)) from error

    def unreadable_answer(self, route: str, answer: Answer, reason: str) -> ProtocolError:
        """The error for a 200 whose body is not what the route documents."""
        failure = failure_of(answer, self._base + route, REQUEST_ID_HEADER)
        return ProtocolError(f"Dropbox's answer to {route} is not readable: {reason[:200]}", failure=failure)

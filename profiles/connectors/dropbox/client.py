"""Dropbox's RPC calls, and the words of Dropbox's refusals.

Every call is a POST to `/2/<route>`. A route without arguments takes the JSON text `null`, and answers `{}` with a 400.
Look at the status first, then at the media type: a 400 is text, a 409 is JSON, a 429 may be either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from profiles.connectors import refusals
from profiles.connectors.base import ConnectorError, Failure, MissingScope, ProtocolError, plain
from profiles.connectors.bodies import read_object
from profiles.connectors.dropbox.refusals import CURSOR_LOST, JUDGED, RESTARTS
from profiles.connectors.dropbox.sentences import NOT_TICKED
from profiles.connectors.failures import failure_of
from profiles.connectors.http import VendorSession
from profiles.connectors.refusals import Form
from profiles.connectors.transport import Answer

REQUEST_ID_HEADER = "X-Dropbox-Request-Id"
VOID = b"null"
Decoded = TypeVar("Decoded")
CALLED = re.compile(r'^\s*Error in call to API function(?:\s+"[^"]{0,200}")?:\s*')

# The calls that change nothing, so that repeating one does no harm. Every other route counts as one with an effect and
# is tried once: it is better to fail than to remove somebody twice.
READS = frozenset(
    {
        "team/get_info",
        "team/token/get_authenticated_admin",
        "team/features/get_values",
        "team/members/list_v2",
        "team/members/list/continue_v2",
        "team/members/get_info_v2",
        "team/members/get_available_team_member_roles",
        "team/groups/list",
        "team/groups/list/continue",
        "team/devices/list_members_devices",
        "team_log/get_events",
        "team_log/get_events/continue",
        "team/members/remove/job_status/get",
        "team/members/move_former_member_files/job_status/check",
    }
)


class _Error(msgspec.Struct):
    """The error envelope. `error` is a tagged struct; Dropbox's SDK also accepts a bare string."""

    error: Any = None
    error_summary: Any = None
    user_message: Any = None

    @property
    def tag(self) -> str:
        tag = self.error.get(".tag") if isinstance(self.error, dict) else self.error
        return plain(tag, 200) if isinstance(tag, str) else ""

    @property
    def summary(self) -> str:
        """The error in words for logs: "tag/..", with a varying number of dots."""
        return plain(self.error_summary, 200).rstrip("./") if isinstance(self.error_summary, str) else ""

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
        tag = envelope.tag if envelope else ""
        failure = refusals.fit_failure(failure, tag)
        reason = (envelope.words or tag or envelope.summary) if envelope else _sentence_of(answer)
        reply = refusals.Reply(
            status=answer.status,
            form=_form_of(answer, envelope),
            code=tag,
            sentence=reason,
            asked=CURSOR_LOST if tag in RESTARTS.get(failure.endpoint.partition("/2/")[2], ()) else "",
            challenge=answer.headers.get("WWW-Authenticate", ""),
        )
        line = refusals.find_refusal(JUDGED, reply) or JUDGED[-1]
        if issubclass(line.raises, MissingScope):
            scope = _missing_scope(envelope, reason)
            return refusals.error_of(line, failure, reason=scope or "(not named)", scope=scope)
        return refusals.error_of(line, failure, reason=reason)

    def retry_after(self, answer: Answer) -> float | None:
        envelope = _read_envelope(answer)
        seconds = envelope.error.get("retry_after") if envelope and isinstance(envelope.error, dict) else None
        # In Python a bool is an int too.
        return float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None


def _read_envelope(answer: Answer) -> _Error | None:
    """The JSON error body; None where the body is not a JSON object. The media type is ignored: proxies change it."""
    found = read_object(answer.body)
    return None if found is None else msgspec.convert(found, _Error)


def _form_of(answer: Answer, envelope: _Error | None) -> Form:
    """How the body looks. What begins like JSON and is none is a text that ends too early."""
    if envelope is not None:
        return Form.JSON
    form = refusals.form_of(answer)
    return Form.TEXT if form == Form.JSON else form


def _sentence_of(answer: Answer) -> str:
    """Dropbox's sentence, without the name of the call in front of it."""
    return CALLED.sub("", plain(answer.body[:4000].decode("utf-8", "replace"), 1000))


def _missing_scope(envelope: _Error | None, sentence: str) -> str:
    named = re.search(NOT_TICKED, sentence)
    return named[1] if named else envelope.text("required_scope") if envelope else ""


def _require_json(answer: Answer) -> Answer:
    """The answer, if its body is JSON. Raises ValueError otherwise."""
    msgspec.json.decode(answer.body, type=msgspec.Raw)
    return answer


class DropboxClient:
    """Routes by name. `api_url` has no trailing slash and no version."""

    def __init__(self, session: VendorSession, api_url: str) -> None:
        self.session = session
        self._base = api_url.rstrip("/") + "/2/"

    def call(
        self,
        route: str,
        argument: dict[str, Any] | None = None,
        decode: Callable[[Answer], Decoded] = _require_json,  # type: ignore[assignment]
    ) -> Decoded:
        """What `decode` makes of the 2xx answer of a route; None is Dropbox's void argument.

        `decode` raises ValueError for a body that it cannot read. A route outside `READS` is called once.
        """
        body = VOID if argument is None else msgspec.json.encode(argument)
        return self.session.post(self._base + route, body, decode, repeatable=route in READS)

    def read(self, route: str, shape: type[Decoded], argument: dict[str, Any] | None = None) -> Decoded:
        """A route's answer as a record; UnreadableAnswer if it does not have this shape."""
        return self.call(route, argument, lambda answer: msgspec.json.decode(answer.body, type=shape))

    def impossible_answer(self, route: str, answer: Answer, reason: str) -> ProtocolError:
        """The error for an answer that can be read and cannot be true, so that asking again would not help."""
        failure = failure_of(answer, self._base + route, REQUEST_ID_HEADER)
        return ProtocolError(f"Dropbox's answer to {route} cannot be used: {reason[:200]}", failure=failure)

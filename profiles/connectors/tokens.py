"""OAuth 2 authorization-code grants for any vendor: the consent link, the exchange of the code, refresh and revoke.

oauthlib writes the requests. We send them ourselves, because the library reads outages as missing tokens, sends the
secret along when redirected, raises when scopes differ, and limits neither time nor size.
"""

from __future__ import annotations

import base64
import contextlib
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from profiles.connectors import refusals
from profiles.connectors.base import (
    ConnectorError,
    Endpoints,
    Failure,
    Reconnect,
    Refused,
    Throttled,
    UnreadableAnswer,
)
from profiles.connectors.bodies import fingerprint_of, read_object
from profiles.connectors.failures import failure_without_body, hide_secrets
from profiles.connectors.token_refusals import (
    CODE,
    REFRESH,
    TOKEN_REFUSALS,
    CodeRefused as CodeRefused,
    RedirectMismatch as RedirectMismatch,
    WrongClient as WrongClient,
)
from profiles.connectors.transport import (
    Answer,
    Bounds,
    exchange_once,
    quiet_loggers,
    require_secure,
)
from profiles.connectors.waiting import retry_after

TOKEN_BOUNDS = Bounds(connect=5.0, read=10.0, total=10.0, max_bytes=1024 * 1024)
REVOKE_BOUNDS = Bounds(connect=3.0, read=4.0, total=4.0, max_bytes=64 * 1024)
VERIFIER_LENGTH = 64
LONGEST_LIFE = 366 * 86400
LONGEST_TOKEN = 16 * 1024
LONGEST_ID = 255
MOST_SCOPES = 500
SLOW_DOWN_SECONDS = 5.0
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")  # RFC 6749, 3.3, and a length that a page can show
CODE_WORD = re.compile(r"([a-z0-9_.-]{1,80})\s*(?:$|[:(–-]\s*(.*))", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What the token endpoint gave. `expires_in` is in seconds from now; None where the vendor did not say.

    `scopes` is None where the vendor did not say, which means that they are as asked for (RFC 6749, 5.1). The answer to
    a refresh usually has neither scopes nor a `refresh_token`: keep the stored ones then.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_in: int | None = None
    scopes: tuple[str, ...] | None = None
    team_id: str = ""
    account_id: str = ""
    token_type: str = ""


class _TokenAnswer(msgspec.Struct):
    """The answer, with fields of any type, so that one field of an unexpected type does not hide the others."""

    access_token: Any = None
    refresh_token: Any = None
    expires_in: Any = None
    scope: Any = None
    team_id: Any = None
    account_id: Any = None
    token_type: Any = None
    error: Any = None
    error_description: Any = None

    def text(self, name: str) -> str:
        value = getattr(self, name)
        return value if isinstance(value, str) else ""


def new_verifier() -> str:
    """A new PKCE verifier (RFC 7636). Store it encrypted with the OAuth state, and pass it to `exchange`."""
    return str(WebApplicationClient("").create_code_verifier(VERIFIER_LENGTH))


def authorize_url(
    endpoints: Endpoints,
    client_id: str,
    redirect_uri: str,
    state: str,
    scopes: Iterable[str] = (),
    verifier: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> str:
    """The consent link. `extra` holds the vendor's own parameters (`Vendor.authorize_params`).

    Raises ValueError for an authorize address that is neither https nor loopback.
    """
    params = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    if wanted := " ".join(scopes):
        params["scope"] = wanted
    if verifier:
        params["code_challenge"] = WebApplicationClient("").create_code_challenge(verifier, "S256")
        params["code_challenge_method"] = "S256"
    params.update(extra or {})
    return str(add_params_to_uri(require_secure(endpoints.authorize_url), list(params.items())))


def exchange(
    endpoints: Endpoints,
    client_id: str,
    client_secret: str,
    code: str,
    redirect_uri: str,
    verifier: str | None = None,
    bounds: Bounds = TOKEN_BOUNDS,
) -> Grant:
    """Exchange a one-time code for a grant. With a `verifier`, both it and the client secret are sent.

    Dropbox accepts both together (Auth.js and better-auth send both), so a wrong secret is noticed here. Dropbox's own
    SDKs send the verifier in place of the secret; a server that refuses both together is asked again in that way.
    `bounds` holds for both together. Raises CodeRefused, RedirectMismatch, WrongClient, Refused, Throttled, TryLater,
    UnreadableAnswer or ProtocolError; never Reconnect.
    """
    hide = (client_secret, code, verifier or "")

    def ask_with(secret: str | None, left: Bounds) -> Grant:
        body = WebApplicationClient(client_id).prepare_request_body(
            code=code, redirect_uri=redirect_uri, include_client_id=secret is None, code_verifier=verifier
        )
        return _request_grant(endpoints, _Asked(CODE, client_id, secret, body, hide), left)

    if verifier:
        return _retry_without_secret(ask_with, client_secret, bounds)
    return ask_with(client_secret, bounds)


def refresh(
    endpoints: Endpoints, client_id: str, client_secret: str, refresh_token: str, bounds: Bounds = TOKEN_BOUNDS
) -> Grant:
    """Get a new access token. Raises Reconnect only when the vendor says `invalid_grant`: the grant is gone.

    Also raises WrongClient, Refused, Throttled, TryLater, UnreadableAnswer or ProtocolError. The grant may still be
    valid then, and the refresh token has to be kept.
    """
    hide = (client_secret, refresh_token)

    def ask_with(secret: str | None, left: Bounds) -> Grant:
        named = {"client_id": client_id} if secret is None else {}
        body = WebApplicationClient(client_id).prepare_refresh_body(refresh_token=refresh_token, **named)
        return _request_grant(endpoints, _Asked(REFRESH, client_id, secret, body, hide), left)

    return _retry_without_secret(ask_with, client_secret, bounds)


def _retry_without_secret(ask_with: Callable[[str | None, Bounds], Grant], client_secret: str, bounds: Bounds) -> Grant:
    """Ask with the secret.

    If the vendor calls the request itself invalid, ask once more as a client without a secret, in the time that is
    left of `bounds`.
    """
    ends = time.monotonic() + bounds.total
    try:
        return ask_with(client_secret, bounds)
    except Refused as refusal:
        left = ends - time.monotonic()
        if refusal.failure.tag != "invalid_request" or left <= 0:
            raise
        try:
            return ask_with(None, replace(bounds, total=left))
        except (Refused, Reconnect) as second:
            raise refusal from second


def revoke(endpoints: Endpoints, access_token: str) -> bool:
    """Ask the vendor once to end the grant; True if it confirmed. Never raises, because disconnecting must always work.

    Dropbox has refused a team token here ("operates on a single Dropbox account", watermint/toolbox #18), so False
    means: tell the admin to disconnect the app in the vendor's admin console as well.
    """
    if not endpoints.revoke_path:
        return False
    quiet_loggers()
    headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
    with contextlib.suppress(ConnectorError, ValueError):
        url = endpoints.api_url.rstrip("/") + endpoints.revoke_path
        return 200 <= exchange_once(url, b"null", headers, REVOKE_BOUNDS).status < 300
    return False


@dataclass(frozen=True)
class _Asked:
    """A request for a grant: for a code or to refresh, as which client, and the secrets that must not come back."""

    kind: str
    client_id: str
    client_secret: str | None = field(repr=False)
    body: str = field(repr=False)
    hide: tuple[str, ...] = field(repr=False)


def _request_grant(endpoints: Endpoints, asked: _Asked, bounds: Bounds) -> Grant:
    quiet_loggers()
    basic = base64.b64encode(f"{asked.client_id}:{asked.client_secret or ''}".encode()).decode("ascii")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if asked.client_secret is not None:
        # In the header only: to a client id in both places Dropbox answers 'unknown field "client_id"' (oslo #90).
        headers["Authorization"] = f"Basic {basic}"
    answer = exchange_once(endpoints.token_url, asked.body.encode("ascii"), headers, bounds)
    parsed = _parse_answer(answer)
    shown = hide_secrets(answer, basic, *asked.hide)
    failure = failure_without_body(shown, endpoints.token_url, endpoints.request_id_header)
    if parsed is not None and parsed.text("access_token") and 200 <= answer.status < 300:
        return _read_grant(parsed, failure)
    raise _refusal_error(shown, failure, asked.kind)


def _parse_answer(answer: Answer) -> _TokenAnswer | None:
    """The answer as an object; None where it is none."""
    found = read_object(answer.body)
    return None if found is None else msgspec.convert(found, _TokenAnswer)


def _read_grant(parsed: _TokenAnswer, failure: Failure) -> Grant:
    """The grant, if it can be stored and sent. Of an answer that cannot, nothing is kept as evidence."""
    unusable = _unusable_part(parsed)
    if unusable:
        raise refusals.error_of(
            refusals.UNREADABLE, failure, reason=f"it has {unusable}", fingerprint=f"token:{unusable}"
        )
    return Grant(
        access_token=parsed.text("access_token"),
        refresh_token=parsed.text("refresh_token"),
        expires_in=_read_lifetime(parsed.expires_in),
        scopes=_read_scopes(parsed.scope) if isinstance(parsed.scope, str) else None,
        team_id=parsed.text("team_id"),
        account_id=parsed.text("account_id"),
        token_type=parsed.text("token_type").lower(),
    )


def _read_scopes(text: str) -> tuple[str, ...]:
    """The scopes that can be stored and shown, sorted; nobody asks for a scope of another form."""
    return tuple(sorted({scope for scope in text.split() if SCOPE.fullmatch(scope)})[:MOST_SCOPES])


def _unusable_part(parsed: _TokenAnswer) -> str:
    """What of a token answer can neither be stored nor sent in a header; nothing where all of it can."""
    for name in ("access_token", "refresh_token"):
        if not re.fullmatch(rf"[\x21-\x7e]{{0,{LONGEST_TOKEN}}}", parsed.text(name)):
            return "an unusable token"
    for name in ("team_id", "account_id"):
        if not re.fullmatch(rf"[\x21-\x7e]{{0,{LONGEST_ID}}}", parsed.text(name)):
            return "an unusable id"
    return "" if parsed.text("token_type").lower() in ("bearer", "") else "a token of a type that cannot be used here"


def _read_lifetime(value: Any) -> int | None:
    """A lifetime in seconds, at most a year; None for a value that is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(min(max(float(value), 0), LONGEST_LIFE))
    except (ValueError, OverflowError):
        return None


def _refusal_error(answer: Answer, failure: Failure, kind: str) -> ConnectorError:
    """The error for an answer without a token. Of its body nothing but `error` and `error_description` is kept."""
    reply = _read_refusal(answer, kind)
    line = refusals.find_refusal(TOKEN_REFUSALS, reply) or refusals.UNREADABLE
    failure = refusals.fit_failure(failure, reply.code)
    if reply.form == refusals.Form.JSON and reply.sentence:
        body = {"error": reply.code, "error_description": refusals.quotable(reply.sentence)}
        failure = replace(failure, body=msgspec.json.encode(body).decode())
    if issubclass(line.raises, Throttled):
        seconds = retry_after(answer, SLOW_DOWN_SECONDS if answer.status != 429 else None)
        return refusals.error_of(line, failure, reason=f"{seconds:g}", retry_after=seconds)
    if issubclass(line.raises, UnreadableAnswer):
        reason = f"it is {reply.form} and contains no token"
        return refusals.error_of(line, failure, reason=reason, fingerprint=fingerprint_of("token", answer))
    return refusals.error_of(line, failure, reason=reply.sentence)


def _read_refusal(answer: Answer, kind: str) -> refusals.Reply:
    parsed, form = _parse_answer(answer), refusals.form_of(answer)
    code, sentence = "", answer.body[: refusals.REASON_KEPT].decode("utf-8", "replace") if parsed is None else ""
    if parsed is not None:
        form = refusals.Form.JSON
        error, description = parsed.text("error"), parsed.text("error_description")
        # Dropbox puts the error code and a sentence into one string: "invalid_client: Invalid client_id or …".
        word = CODE_WORD.fullmatch(error.strip())
        code, prose = (word[1].lower(), word[2] or "") if word else ("", error)
        sentence = refusals.quotable(description or prose or code)
    elif form == refusals.Form.JSON:
        form = refusals.Form.TEXT  # cut, or a list
    return refusals.Reply(
        status=answer.status,
        form=form,
        code=code,
        sentence=sentence,
        asked=kind,
        challenge=answer.headers.get("WWW-Authenticate", ""),
    )

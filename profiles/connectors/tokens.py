"""OAuth 2 authorization-code grants for any vendor: the consent link, the exchange of the code, refresh and revoke.

oauthlib writes the requests. We send them ourselves, because the library reads outages as missing tokens, sends the
secret along when redirected, raises when scopes differ, and limits neither time nor size.
"""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import WebApplicationClient

from profiles.connectors.base import (
    ConnectorError,
    Endpoints,
    Failure,
    ProtocolError,
    Reconnect,
    Refused,
    TryLater,
    plain,
)
from profiles.connectors.failures import failure_of, hide_secrets
from profiles.connectors.transport import (
    Answer,
    Bounds,
    exchange_once,
    quiet_loggers,
    require_secure,
)

TOKEN_BOUNDS = Bounds(connect=5.0, read=10.0, total=10.0, max_bytes=1024 * 1024)
REVOKE_BOUNDS = Bounds(connect=3.0, read=5.0, total=5.0, max_bytes=64 * 1024)
VERIFIER_LENGTH = 64
LONGEST_LIFE = 366 * 86400


class CodeRefused(Refused):
    """The vendor does not accept this code: it was used, is too old, or was issued for another app."""

    remedy = "Press Get OAuth Token again; a code works once and for a few minutes only."


class RedirectMismatch(Refused):
    """The redirect URI is not registered, or differs from the one in the consent link."""

    remedy = (
        "Register exactly this application's redirect URI in the vendor's console, then press Get OAuth Token again."
    )


class WrongClient(Refused):
    """The vendor does not know this client id, or the client secret does not belong to it."""

    remedy = "Copy the app key and the app secret from the vendor's app console into the credential again."


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
    Raises CodeRefused, RedirectMismatch, WrongClient, Refused, TryLater or ProtocolError; never Reconnect.
    """
    hide = (client_secret, code, verifier or "")

    def ask_with(secret: str | None) -> Grant:
        body = WebApplicationClient(client_id).prepare_request_body(
            code=code, redirect_uri=redirect_uri, include_client_id=secret is None, code_verifier=verifier
        )
        return _request_grant(endpoints, client_id, secret, body, bounds, hide, on_invalid_grant=_code_refused)

    return _retry_without_secret(ask_with, client_secret) if verifier else ask_with(client_secret)


def refresh(
    endpoints: Endpoints, client_id: str, client_secret: str, refresh_token: str, bounds: Bounds = TOKEN_BOUNDS
) -> Grant:
    """Get a new access token. Raises Reconnect only when the vendor says explicitly that the grant is gone.

    Also raises WrongClient, Refused, TryLater or ProtocolError; the grant may still be valid then.
    """
    hide = (client_secret, refresh_token)

    def ask_with(secret: str | None) -> Grant:
        named = {"client_id": client_id} if secret is None else {}
        body = WebApplicationClient(client_id).prepare_refresh_body(refresh_token=refresh_token, **named)
        return _request_grant(endpoints, client_id, secret, body, bounds, hide, on_invalid_grant=_grant_gone)

    return _retry_without_secret(ask_with, client_secret)


def _retry_without_secret(ask_with: Callable[[str | None], Grant], client_secret: str) -> Grant:
    """Ask with the secret.

    If the vendor calls the request itself invalid, ask once more as a client without a secret.
    """
    try:
        return ask_with(client_secret)
    except Refused as refusal:
        if refusal.failure.tag != "invalid_request":
            raise
        try:
            return ask_with(None)
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


def _request_grant(
    endpoints: Endpoints,
    client_id: str,
    client_secret: str | None,
    body: str,
    bounds: Bounds,
    hide: tuple[str, ...],
    on_invalid_grant: Callable[[str, Failure], ConnectorError],
) -> Grant:
    quiet_loggers()
    basic = base64.b64encode(f"{client_id}:{client_secret or ''}".encode()).decode("ascii")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if client_secret is not None:
        # In the header only: to a client id in both places Dropbox answers 'unknown field "client_id"' (oslo #90).
        headers["Authorization"] = f"Basic {basic}"
    answer = exchange_once(endpoints.token_url, body.encode("ascii"), headers, bounds)
    shown = hide_secrets(answer, basic, *hide)
    failure = failure_of(shown, endpoints.token_url, endpoints.request_id_header)
    parsed = _parse_answer(answer, failure)
    if parsed.text("access_token") and answer.status < 300:
        return _read_grant(parsed, replace(failure, body=""))
    raise _refusal_error(_parse_answer(shown, failure), failure, on_invalid_grant)


def _parse_answer(answer: Answer, failure: Failure) -> _TokenAnswer:
    """Decode the answer. The status is checked first, so that an outage never looks like a refusal."""
    if answer.status >= 500 or answer.status in (408, 429):
        raise TryLater(f"The vendor's token address answered with status {answer.status}.", failure=failure)
    if 300 <= answer.status < 400:
        raise ProtocolError("The vendor's token address redirects; secrets are not sent after it.", failure=failure)
    try:
        return msgspec.json.decode(answer.body, type=_TokenAnswer)
    except (ValueError, RecursionError) as error:
        if answer.status in (404, 405):
            raise ProtocolError("No token endpoint answers at this address.", failure=failure) from error
        if answer.status >= 400:
            raise TryLater("The vendor's token address answered without a reason.", failure=failure) from error
        # The body may contain a token, so it is not kept as evidence.
        raise ProtocolError("The token answer is not readable.", failure=replace(failure, body="")) from error


def _read_grant(parsed: _TokenAnswer, failure: Failure) -> Grant:
    access_token, refresh_token = parsed.text("access_token"), parsed.text("refresh_token")
    # A token is sent in a header, so it must not contain spaces or line breaks.
    if not re.fullmatch(r"[\x21-\x7e]+", access_token) or not re.fullmatch(r"[\x21-\x7e]*", refresh_token):
        raise ProtocolError("The token answer contains an unusable token.", failure=failure)
    if parsed.text("token_type").lower() not in ("bearer", ""):
        raise ProtocolError("The token is of a type that cannot be used here.", failure=failure)
    return Grant(
        access_token=access_token,
        refresh_token=refresh_token,
        expires_in=_read_lifetime(parsed.expires_in),
        scopes=tuple(sorted(set(parsed.scope.split()))) if isinstance(parsed.scope, str) else None,
        team_id=parsed.text("team_id"),
        account_id=parsed.text("account_id"),
        token_type=parsed.text("token_type").lower(),
    )


def _read_lifetime(value: Any) -> int | None:
    """A lifetime in seconds, at most a year; None for a value that is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(min(max(float(value), 0), LONGEST_LIFE))
    except (ValueError, OverflowError):
        return None


def _refusal_error(
    parsed: _TokenAnswer, failure: Failure, on_invalid_grant: Callable[[str, Failure], ConnectorError]
) -> ConnectorError:
    error, description = parsed.text("error"), parsed.text("error_description")
    if not error and (failure.status or 0) < 300:
        return ProtocolError("The token answer contains no token.", failure=replace(failure, body=""))
    # Dropbox puts the error code and a sentence into one string: "invalid_client: Invalid client_id or client_secret".
    tag, _, prose = error.partition(":")
    tag = plain(tag, 80).lower()
    failure = replace(failure, tag=tag)
    reason = plain(description or prose.strip(), 200) or tag or "no reason given"
    if tag.startswith(("invalid_client", "unauthorized_client")):
        return WrongClient(f"The vendor does not accept the app key and secret: {reason}.", failure=failure)
    if tag == "invalid_grant":
        return on_invalid_grant(reason, failure)
    return Refused(f"The vendor refused the token request: {reason}.", failure=failure)


def _code_refused(reason: str, failure: Failure) -> ConnectorError:
    if "redirect_uri" in reason.lower():
        return RedirectMismatch(f"The vendor refused the redirect URI: {reason}.", failure=failure)
    return CodeRefused(f"The vendor refused the code: {reason}.", failure=failure)


def _grant_gone(reason: str, failure: Failure) -> ConnectorError:
    return Reconnect(f"The vendor no longer honors this connection: {reason}.", failure=failure)

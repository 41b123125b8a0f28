"""What a token address says when it gives no token (RFC 6749, 5.2, and what vendors make of it).

Only `invalid_grant` with status 400 or 401, as the answer to a refresh, ends a grant. After every other answer the
stored refresh token is kept. A code is exchanged once and never again, so there nothing is tried again by itself.
"""

from __future__ import annotations

from profiles.connectors.base import ProtocolError, Reconnect, Refused, Throttled, TryLater
from profiles.connectors.refusals import (
    ASK_LATER,
    CONFIGURE,
    EVERY_400,
    EVERY_VENDOR,
    NO_REDIRECTS,
    NO_WAY,
    UNREADABLE,
    WAITS,
    Again,
    Ends,
    Form,
    Refusal,
    refusal,
)

CODE, REFRESH = "code", "refresh"
REFUSING = (400, 401)
NOT_JSON = (Form.PAGE, Form.TEXT, Form.EMPTY)
APP_IS_OFF = r"\b(app|application|client)\b.{0,60}\b(disabled|deactivated|switched off|turned off|suspended|blocked)\b"
OWN_FAULT = "Report this error with the vendor's reason; the old data stays as it was, and the stored access is kept."
AGAIN = "Press Get OAuth Token again; a code works once and for a few minutes only."
RIGHT_ONE = (
    "Copy the app secret from the vendor's app console into Client secret and save. The stored access then goes on by "
    "itself; no new consent is needed. If the app was deleted there, create one and enter its client ID as well."
)


class CodeRefused(Refused):
    """The vendor does not accept this code: it was used, is too old, or was issued for another app."""

    remedy = AGAIN


class RedirectMismatch(Refused):
    """The redirect URI is not registered, or differs from the one in the consent link."""


class WrongClient(Refused):
    """The vendor knows the client id, or knew it at the consent, and does not accept the client secret with it."""


TOKEN_REFUSALS: tuple[Refusal, ...] = (
    *EVERY_VENDOR,
    refusal(
        "no-token-address",
        "404, 405 or 410",
        "No token endpoint answers at this address.",
        NO_REDIRECTS,
        status=(404, 405, 410),
        raises=ProtocolError,
        heals=CONFIGURE,
    ),
    refusal(
        "token-trouble",
        "`temporarily_unavailable`, `server_error` or a word of the same meaning",
        "The vendor's token address is in trouble: {reason}.",
        ASK_LATER,
        codes=(
            "temporarily_unavailable",
            "server_error",
            "internal_error",
            "internal_server_error",
            "service_unavailable",
            "timeout",
        ),
        raises=TryLater,
        ends=Ends.NOTHING,
        again=Again.SOON,
        heals=WAITS,
    ),
    refusal(
        "token-slow-down",
        "`slow_down` or a word of the same meaning",
        "The vendor's token address asks us to slow down.",
        Throttled.remedy,
        codes=("slow_down", "rate_limit_exceeded", "rate_limited", "too_many_requests"),
        raises=Throttled,
        ends=Ends.NOTHING,
        again=Again.WHEN_TOLD,
        heals="time, as for 429",
    ),
    refusal(
        "grant-gone",
        "`invalid_grant` with status 400 or 401, to a refresh",
        "The vendor no longer honors this connection: {reason}.",
        Reconnect.remedy,
        status=REFUSING,
        codes=("invalid_grant",),
        asked=REFRESH,
        raises=Reconnect,
        ends=Ends.GRANT,
        again=Again.CONSENT,
        heals="an admin, who presses Get OAuth Token",
    ),
    refusal(
        "redirect-mismatch",
        "`invalid_grant` to a code, with a reason about `redirect_uri`",
        "The vendor refused the redirect URI: {reason}.",
        "Register exactly this application's redirect URI in the vendor's console, then press Get OAuth Token again.",
        status=REFUSING,
        form=(Form.JSON,),
        says=(r"redirect.?ur[il]",),
        asked=CODE,
        raises=RedirectMismatch,
        again=Again.CONSENT,
    ),
    refusal(
        "verifier-refused",
        "`invalid_grant` to a code, with a reason about the code verifier",
        "The vendor refused the code verifier: {reason}.",
        f"{AGAIN} If it happens each time, whoever runs this installation can leave it out: OAUTH_PKCE=false.",
        status=REFUSING,
        form=(Form.JSON,),
        says=(r"invalid.{0,20}verifier", r"verifier.{0,30}(invalid|match|wrong)"),
        asked=CODE,
        raises=CodeRefused,
        again=Again.CONSENT,
    ),
    refusal(
        "code-refused",
        "`invalid_grant` to a code",
        "The vendor refused the code: {reason}.",
        AGAIN,
        status=REFUSING,
        codes=("invalid_grant",),
        asked=CODE,
        raises=CodeRefused,
        again=Again.CONSENT,
        heals="an admin, who presses Get OAuth Token",
    ),
    refusal(
        "app-off",
        "a sentence that says the app is disabled",
        "The vendor's app is switched off: {reason}.",
        "Switch the app on again in the vendor's app console; the stored access then goes on by itself.",
        status=(EVERY_400,),
        form=(Form.JSON, Form.TEXT),
        says=(APP_IS_OFF,),
    ),
    refusal(
        "wrong-secret",
        "`invalid_client`, also with its prose in the same string",
        "The client secret is wrong: the vendor does not accept it with this client ID ({reason}).",
        RIGHT_ONE,
        status=(EVERY_400,),
        codes=("invalid_client",),
        raises=WrongClient,
        heals="an admin, who saves the right secret; the stored refresh token goes on",
    ),
    refusal(
        "client-not-known",
        "401 that asks for a sign-in (`WWW-Authenticate`) and gives no code",
        "The client secret is wrong: the vendor's token address asks for other credentials (status {status}).",
        RIGHT_ONE,
        status=(401,),
        form=(Form.JSON, Form.TEXT, Form.EMPTY),
        challenge=r"^\s*(basic|bearer)\b",
        codes=("",),
        raises=WrongClient,
        heals="an admin, who saves the right secret; the stored refresh token goes on",
    ),
    refusal(
        "client-not-allowed",
        "`unauthorized_client`",
        "The vendor does not let this app ask for such a token: {reason}.",
        "Compare the client ID with the app's key, and look at the app's settings in the vendor's console: its status, "
        "its kind of access, and whether it may keep access while nobody is signed in.",
        status=(EVERY_400,),
        codes=("unauthorized_client",),
    ),
    refusal(
        "scope-refused",
        "`invalid_scope`",
        "The vendor refused a scope: {reason}.",
        "Tick the scopes in the vendor's app console, submit, then press Get OAuth Token again.",
        status=(EVERY_400,),
        codes=("invalid_scope",),
        again=Again.CONSENT,
    ),
    refusal(
        "request-refused",
        "`invalid_request`, `unsupported_grant_type`",
        "The vendor did not understand the token request: {reason}.",
        OWN_FAULT,
        status=(EVERY_400,),
        codes=("invalid_request", "unsupported_grant_type", "unsupported_response_type", "invalid_target"),
        heals="a correction of this application. After `invalid_request` it asks once more without the secret, as "
        "clients with a code verifier do",
    ),
    refusal(
        "no-reason",
        "401, 403 or another 4xx without JSON: a web page, text, or nothing",
        "The vendor's token address answered with status {status} and without a reason.",
        f"{NO_WAY} The next run tries again.",
        status=(EVERY_400,),
        form=NOT_JSON,
        raises=TryLater,
        ends=Ends.NOTHING,
        again=Again.SOON,
        heals=f"the vendor, or {CONFIGURE}",
    ),
    refusal(
        "other-refusal",
        "JSON with another code, or a 4xx with none",
        "The vendor refused the token request: {reason}.",
        "Read the vendor's reason, and look at the app's settings in its console. The stored access is kept.",
        form=(Form.JSON,),
        status=(EVERY_400,),
    ),
    refusal(
        "refusal-as-success",
        "2xx with a code in `error` and without a token",
        "The vendor refused the token request: {reason}.",
        "Read the vendor's reason, and look at the app's settings in its console. The stored access is kept.",
        form=(Form.JSON,),
        status=(range(200, 300),),
        says=(r"\S",),
    ),
    UNREADABLE,
)

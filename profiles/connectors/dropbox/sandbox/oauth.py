"""The consent page and the token endpoint, as strict as Dropbox's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oauthlib.common import add_params_to_uri

from profiles.connectors.dropbox.sandbox import consent
from profiles.connectors.dropbox.sandbox.messages import Answered, Request, Response, as_json, as_page, redirect
from profiles.connectors.dropbox.sandbox.store import TOKEN_LIFE, App, Code, Grant
from profiles.connectors.dropbox.sandbox.team import Team

if TYPE_CHECKING:
    from profiles.connectors.dropbox.sandbox.application import Sandbox

PERSONAL = "personal"
LONGEST_STATE = 500
CARRIED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "scope",
    "token_access_type",
    "code_challenge",
    "code_challenge_method",
)
GRANT_FIELDS = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "locale")
CLIENT_FIELDS = ("client_id", "client_secret")
CHALLENGE = r"[A-Za-z0-9._~-]{43,128}"
DENIED = "The user chose not to give your app access to their Dropbox account."
WRONG_REDIRECT = (
    "Invalid redirect_uri. It must exactly match one of the redirect URIs you've pre-configured for your app."
)


def authorize(sandbox: Sandbox, request: Request) -> Response:
    """GET shows the consent page, POST takes the decision.

    A malformed link shows an error page and does not redirect.
    """
    params = dict(request.query) if request.method == "GET" else request.form()
    app, scopes = _check_link(sandbox, params)
    carried = {name: params[name] for name in CARRIED if name in params}
    if request.method == "POST":
        return _answer_consent(sandbox, app, scopes, params)
    approved = sandbox.approved.get(app.key)
    again = "true" in (params.get("force_reapprove"), params.get("force_reauthentication"))
    if approved and not again:
        return _answer_consent(sandbox, app, scopes, {**params, "account": approved, "decision": "allow"})
    return as_page(consent.page(app, scopes, list(sandbox.teams.values()), carried, chosen=approved or ""))


def _check_link(sandbox: Sandbox, params: Mapping[str, str]) -> tuple[App, tuple[str, ...]]:
    app = sandbox.store.apps.get(params.get("client_id", ""))
    if app is None:
        raise _page_error(f'Invalid client_id: "{params.get("client_id", "")}".')
    if params.get("redirect_uri") not in app.redirect_uris:
        raise _page_error(WRONG_REDIRECT)
    if params.get("response_type") != "code":
        raise _page_error('Invalid response_type. It must be "code".')
    if len(params.get("state", "").encode()) > LONGEST_STATE:
        raise _page_error(f"Invalid state. It must be at most {LONGEST_STATE} bytes long.")
    if params.get("token_access_type", "offline") not in ("offline", "online", "legacy"):
        raise _page_error("Invalid token_access_type.")
    if "code_challenge" in params and params.get("code_challenge_method", "plain") not in ("S256", "plain"):
        raise _page_error("Invalid code_challenge_method.")
    if "code_challenge" in params and not re.fullmatch(CHALLENGE, params["code_challenge"]):
        raise _page_error("Invalid code_challenge.")
    scopes = tuple(sorted(set(params.get("scope", "").split()))) or app.scopes
    if unknown := [scope for scope in scopes if scope not in app.scopes]:
        raise _page_error(f"This app has not been given the permission: {', '.join(unknown)}.")
    return app, scopes


def _answer_consent(sandbox: Sandbox, app: App, scopes: tuple[str, ...], params: Mapping[str, str]) -> Response:
    back = params["redirect_uri"]
    state = [("state", params["state"])] if "state" in params else []
    if params.get("decision") != "allow":
        return redirect(add_params_to_uri(back, [("error", "access_denied"), ("error_description", DENIED), *state]))
    account = params.get("account", "")
    team, admin_id = _find_account(sandbox, account)
    sandbox.approved[app.key] = account
    code = sandbox.store.issue_code(
        app_key=app.key,
        redirect_uri=back,
        scopes=scopes,
        access=params.get("token_access_type", "online"),
        team_id=team.team_id if team else "",
        admin_id=admin_id,
        challenge=params.get("code_challenge", ""),
        method=params.get("code_challenge_method", "plain"),
    )
    return redirect(add_params_to_uri(back, [("code", code), *state]))


def _find_account(sandbox: Sandbox, account: str) -> tuple[Team | None, str]:
    if account == PERSONAL:
        return None, ""
    for team in sandbox.teams.values():
        if any(member["profile"]["team_member_id"] == account for member in team.admins()):
            return team, account
    raise _page_error("You must be team administrator to complete this action.", 403)


def _page_error(message: str, status: int = 400) -> Answered:
    return Answered(as_page(consent.refusal(message), status))


def token(sandbox: Sandbox, request: Request) -> Response:
    """Exchange a code or a refresh token for an access token. Parameters are read from the form, not from the URL."""
    if request.method != "POST" or request.media_type != "application/x-www-form-urlencoded":
        raise _oauth_error("invalid_request", "the token endpoint takes a form-encoded POST")
    if request.query:
        raise _oauth_error("invalid_request", "parameters do not belong into the URL")
    form = request.form()
    app, with_secret = _authenticate_client(sandbox, request, form)
    grant_type = form.get("grant_type")
    if grant_type == "authorization_code":
        return _exchange_code(sandbox, app, with_secret, form)
    if grant_type == "refresh_token":
        return _refresh_token(sandbox, app, with_secret, form)
    raise _oauth_error("unsupported_grant_type" if grant_type else "invalid_request", "grant_type is not supported")


def _authenticate_client(sandbox: Sandbox, request: Request, form: Mapping[str, str]) -> tuple[App, bool]:
    header = request.headers.get("Authorization", "")
    # A client named in the header must not be in the form as well: Dropbox calls that an unknown field (oslo #90).
    known = GRANT_FIELDS if header else (*GRANT_FIELDS, *CLIENT_FIELDS)
    if unknown := [name for name in form if name not in known]:
        raise _oauth_error("invalid_request", f'unknown field "{unknown[0]}"')
    if header:
        key, secret = _read_basic(header)
    else:
        key, secret = form.get("client_id", ""), form.get("client_secret", "")
    app = sandbox.store.apps.get(key)
    if app is not None and secret and hmac.compare_digest(secret.encode(), app.secret.encode()):
        return app, True
    # With PKCE a client may have no secret; it sends only its id.
    if app is not None and not secret and not header:
        return app, False
    raise Answered(as_json({"error": "invalid_client: Invalid client_id or client_secret"}, 400))


def _read_basic(header: str) -> tuple[str, str]:
    scheme, _, text = header.partition(" ")
    try:
        key, colon, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        scheme = ""
    if scheme.lower() != "basic" or not colon or not secret:
        raise Answered(as_json({"error": "invalid_client: Invalid client_id or client_secret"}, 400))
    return key, secret


def _exchange_code(sandbox: Sandbox, app: App, with_secret: bool, form: Mapping[str, str]) -> Response:
    code = sandbox.store.take_code(form.get("code", ""), app.key)
    if code is None:
        raise _oauth_error("invalid_grant", "code doesn't exist or has expired")
    if form.get("redirect_uri") != code.redirect_uri:
        raise _oauth_error("invalid_grant", "redirect_uri mismatch")
    if not _is_verified(code, form.get("code_verifier", ""), with_secret):
        raise _oauth_error("invalid_grant", "invalid code verifier")
    grant = sandbox.store.issue_grant(
        app_key=app.key, team_id=code.team_id, admin_id=code.admin_id, scopes=code.scopes, with_secret=with_secret
    )
    lasting = code.access == "legacy"
    answer: dict[str, Any] = {
        "access_token": sandbox.store.issue_access_token(grant, lasting=lasting),
        "token_type": "bearer",
        "scope": " ".join(grant.scopes),
        "uid": "" if grant.team_id else "123456789",
    }
    answer |= {"team_id": grant.team_id} if grant.team_id else {"account_id": "dbid:AAB" + "p" * 32}
    if not lasting:
        answer["expires_in"] = TOKEN_LIFE
    if code.access == "offline":
        answer["refresh_token"] = sandbox.store.issue_refresh_token(grant)
    return as_json(answer, Cache_Control="no-store")


def _is_verified(code: Code, verifier: str, with_secret: bool) -> bool:
    if not code.challenge:
        # A verifier without a challenge means that somebody removed the challenge from the link (RFC 9700, 2.1.1).
        return with_secret and not verifier
    if code.method == "plain":
        return hmac.compare_digest(verifier.encode(), code.challenge.encode())
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), code.challenge.encode())


def _refresh_token(sandbox: Sandbox, app: App, with_secret: bool, form: Mapping[str, str]) -> Response:
    grant: Grant | None = sandbox.store.grant_behind(form.get("refresh_token", ""))
    if grant is None or grant.app_key != app.key or grant.with_secret != with_secret:
        raise _oauth_error("invalid_grant", "refresh token is invalid or revoked")
    narrowed = tuple(sorted(set(form.get("scope", "").split())))
    if not set(narrowed) <= set(grant.scopes):
        raise _oauth_error("invalid_scope", "scope is wider than what was granted")
    answer: dict[str, Any] = {
        "access_token": sandbox.store.issue_access_token(grant, narrowed or None),
        "token_type": "bearer",
        "expires_in": TOKEN_LIFE,
    }
    if narrowed:
        answer["scope"] = " ".join(narrowed)
    return as_json(answer, Cache_Control="no-store")


def _oauth_error(error: str, description: str) -> Answered:
    return Answered(as_json({"error": error, "error_description": description}, 400))

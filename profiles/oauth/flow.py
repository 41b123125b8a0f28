"""Get OAuth Token: the authorization-code flow for every vendor (RFC 6749, with PKCE, as RFC 9700 recommends).

`begin` writes a single-use state row and returns the vendor's consent URL. `finish` takes the vendor's answer:
1. Find the row by the hash of its state, and mark it as used before looking at anything else.
2. Compare expiry, session, user, and the client id that the row was made for.
3. Exchange the code for a token, once and at once: a code lives for minutes.
4. The team of the token must be the expected one. Ask the vendor for the team's name and the authorizing admin.
5. Store everything in one transaction, or nothing.

The browser waits meanwhile, so steps 3 and 4 have ten seconds together. The code is spent after step 3; if the vendor
does not answer step 4 in time, the grant is stored all the same, and the validation, a job, asks again.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from profiles import connectors
from profiles.connection import endpoints
from profiles.connectors import base, refusals, tokens
from profiles.models import Credential, IntegrationProfile, OAuthState
from profiles.oauth import grants, scopes
from samsaas import audit
from samsaas.lib.encryption import UndecryptableValue

LIFETIME = timedelta(minutes=10)
OUTSTANDING = 10
LONGEST_STATE = 500
PAGE_SECONDS = 9.0  # for all calls to a vendor while a browser waits; the page itself needs the rest of ten seconds


@dataclass(frozen=True)
class Finished:
    """How an authorization ended.

    `outcome` is a key of `outcomes.OUTCOMES`. `attempt` is the row, where the person may see it. `next_url` is the next
    consent page, where a second app has to be authorized. `detail` is what the result page shows.
    """

    outcome: str
    attempt: OAuthState | None = None
    next_url: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


class Stop(Exception):
    """Ends an authorization with an outcome, and with the detail that the result page shows."""

    def __init__(self, outcome: str, **detail: Any) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.detail = detail


def digest(value: str) -> str:
    """The SHA-256 of a state or session key; the database keeps only this."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ConsentRequest:
    """One press of Get OAuth Token: who asks, for which credential, and what that person chose on the page.

    - `popup`: the consent page opens in a window of its own, so its last page has no navigation.
    - `switch_account`: the vendor lets the person sign in as another administrator.
    - `replace_team`: the person confirmed that the profile may move to another team.
    - `share_team`: the person confirmed that another profile may be connected to the same team.
    - `device_sessions`: ask for the scope of device sessions too. A grant that has it keeps it without this.
    """

    profile: IntegrationProfile
    purpose: str
    user: User
    session_key: str = field(repr=False)
    popup: bool = False
    switch_account: bool = False
    replace_team: bool = False
    share_team: bool = False
    device_sessions: bool = False


@sensitive_variables()
def begin(request: ConsentRequest, *, now: datetime) -> str:
    """Write a fresh state row and return the vendor's consent URL.

    Raises `Credential.DoesNotExist` where the profile has no client id for this purpose, and `UndecryptableValue` where
    its client secret cannot be decrypted: the code that the vendor sends could not be exchanged.
    """
    profile, purpose, user = request.profile, request.purpose, request.user
    credential = profile.alias.credentials.get(purpose=purpose)
    credential.check_client_secret()
    state, verifier = secrets.token_urlsafe(32), tokens.new_verifier() if settings.OAUTH_PKCE else ""
    wanted, session_scope = scopes.wanted(profile, purpose), scopes.session_scope(profile, purpose)
    if session_scope and (request.device_sessions or session_scope in credential.granted_scopes):
        wanted = sorted({*wanted, session_scope})
    where = endpoints.for_vendor(profile.vendor)
    _delete_old_attempts(user, now)
    attempt = OAuthState.objects.create(
        state_hash=digest(state),
        session_hash=digest(request.session_key),
        user=user,
        profile=profile,
        purpose=purpose,
        client_id=credential.client_id,
        token_url=where.token_url,
        redirect_uri=settings.OAUTH_REDIRECT_URL,
        verifier=verifier,
        scopes=wanted,
        popup=request.popup,
        replace_team=request.replace_team,
        share_team=request.share_team,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    confirmed = {"replace_team": request.replace_team, "share_team": request.share_team}
    audit.record(user, "started authorization", profile, purpose=purpose, attempt=attempt.pk, **confirmed)
    vendor = profile.vendor_info
    return tokens.authorize_url(
        where,
        client_id=credential.client_id,
        redirect_uri=attempt.redirect_uri,
        state=state,
        scopes=wanted,
        verifier=verifier or None,
        extra={**vendor.authorize_params, **(vendor.switch_account_params if request.switch_account else {})},
    )


def _delete_old_attempts(user: User, now: datetime) -> None:
    """Delete rows older than a day, and a user's oldest open rows beyond ten."""
    OAuthState.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    open_rows = OAuthState.objects.filter(user=user, used_at=None).order_by("-pk")
    OAuthState.objects.filter(pk__in=list(open_rows.values_list("pk", flat=True)[OUTSTANDING - 1 :])).delete()


@sensitive_variables()
def finish(params: dict[str, str], *, user: User, may_connect: bool, session_key: str, now: datetime) -> Finished:
    """Take the vendor's answer and say how it ended. Never raises for anything the vendor or the browser sent."""
    attempt = _consume_state(params.get("state", ""), now)
    if attempt is None:
        return Finished(_missing_state_outcome(params.get("state", "")))
    try:
        _check_attempt(attempt, params, user=user, may_connect=may_connect, session_key=session_key, now=now)
        return _connect_profile(attempt, params["code"], user=user, session_key=session_key, now=now)
    except Stop as stop:
        return _record_outcome(attempt, stop.outcome, stop.detail, user)


def _consume_state(state: str, now: datetime) -> OAuthState | None:
    """Mark the row of this state as used and return it.

    `None` for an unknown state, or where another call used it first.
    """
    if not state or len(state) > LONGEST_STATE:
        return None
    used = OAuthState.objects.filter(state_hash=digest(state), used_at=None).update(used_at=now)
    if not used:
        return None
    return OAuthState.objects.select_related("profile__alias", "user").get(state_hash=digest(state))


def _missing_state_outcome(state: str) -> str:
    known = 0 < len(state) <= LONGEST_STATE and OAuthState.objects.filter(state_hash=digest(state)).exists()
    return "state_used" if known else "state_unknown"


def _check_attempt(
    attempt: OAuthState, params: dict[str, str], *, user: User, may_connect: bool, session_key: str, now: datetime
) -> None:
    if attempt.user_id != user.pk or attempt.session_hash != digest(session_key):
        raise Stop("state_foreign")
    if now >= attempt.expires_at:
        raise Stop("state_expired")
    if not may_connect:
        raise Stop("role_lost")
    if "error" in params:
        words = {key: refusals.quotable(params.get(key, "")) for key in ("error", "error_description")}
        if params["error"] == "invalid_scope":
            raise Stop("scope_refused", asked=attempt.scopes, **words)
        raise Stop("denied" if params["error"] == "access_denied" else "vendor_error", **words)
    if not params.get("code"):
        raise Stop("vendor_error", error="no code", error_description="The vendor sent neither a code nor an error.")
    current = Credential.objects.filter(alias=attempt.profile.alias_id, purpose=attempt.purpose).first()
    where = endpoints.for_vendor(attempt.profile.vendor)
    if current is None or current.client_id != attempt.client_id or where.token_url != attempt.token_url:
        raise Stop("profile_changed")
    if current.client_changed_at >= attempt.created_at:
        raise Stop("profile_changed")


@sensitive_variables()
def _connect_profile(attempt: OAuthState, code: str, *, user: User, session_key: str, now: datetime) -> Finished:
    ends = time.monotonic() + PAGE_SECONDS
    grant = _exchange_code(attempt, code)
    identity = _identify_team(attempt, grant, ends)
    try:
        grants.store(attempt, grant, identity, user=user, now=now)
    except grants.CredentialChanged as changed:
        raise Stop("profile_changed") from changed
    missing = scopes.missing(attempt.profile, attempt.purpose, grant.scopes or ())
    excess = scopes.excess(attempt.profile, attempt.purpose, grant.scopes or ())
    outcome = "connected_missing_scopes" if missing else "connected"
    detail = {"missing": missing, "excess": excess} | ({"unanswered": True} if identity.unanswered else {})
    finished = _record_outcome(attempt, outcome, detail, user)
    following = _next_consent_url(attempt, user=user, session_key=session_key, now=now)
    return Finished(finished.outcome, attempt, following, finished.detail)


@sensitive_variables()
def _exchange_code(attempt: OAuthState, code: str) -> tokens.Grant:
    credential = Credential.objects.get(alias=attempt.profile.alias_id, purpose=attempt.purpose)
    try:
        client_secret, verifier = credential.client_secret, attempt.verifier or None
    except UndecryptableValue as error:
        raise Stop("secret_unreadable") from error
    try:
        grant = tokens.exchange(
            endpoints.for_vendor(attempt.profile.vendor),
            client_id=credential.client_id,
            client_secret=client_secret,
            code=code,
            redirect_uri=attempt.redirect_uri,
            verifier=verifier,
            bounds=replace(tokens.TOKEN_BOUNDS, total=PAGE_SECONDS),
        )
    except base.ConnectorError as error:
        raise Stop(_outcome_of(error), **failure_detail(error)) from error
    if not grant.team_id:
        raise Stop("no_team")
    if not grant.refresh_token:
        raise Stop("no_refresh_token")
    return replace(grant, scopes=tuple(attempt.scopes)) if grant.scopes is None else grant


def _outcome_of(error: base.ConnectorError) -> str:
    exits: list[tuple[type[base.ConnectorError], str]] = [
        (tokens.CodeRefused, "code_refused"),
        (tokens.WrongClient, "wrong_client"),
        (tokens.RedirectMismatch, "redirect_refused"),
        (base.Throttled, "outage"),
        (base.TryLater, "outage"),
        (base.ProtocolError, "bad_answer"),
    ]
    return next((name for kind, name in exits if isinstance(error, kind)), "refused")


def failure_detail(error: base.ConnectorError) -> dict[str, Any]:
    """What the page may show of a failed call: our sentence, the vendor's status, reason and request id."""
    failure = error.failure
    return {
        "message": str(error)[:500],
        "status": failure.status,
        "tag": failure.tag[:100],
        "request_id": failure.request_id[:120],
    }


@sensitive_variables()
def _identify_team(attempt: OAuthState, grant: tokens.Grant, ends: float) -> grants.Identity:
    """Ask the vendor whom the token belongs to, until `ends`. Raises `Stop` unless its team is the expected one."""
    vendor = attempt.profile.vendor
    secret = Credential.objects.get(alias=attempt.profile.alias_id, purpose=attempt.purpose).client_secret

    def open_for(seconds: float) -> base.Connector:
        return connectors.open(
            vendor,
            endpoints=endpoints.for_vendor(vendor),
            client_id=attempt.client_id,
            token_source=grants.FixedToken(grant, secret),
            limits=base.Limits(deadline=seconds, read_timeout=seconds, connect_timeout=seconds, attempts=1),
        )

    try:
        identity = grants.identify(open_for, ends)
    except base.ConnectorError as error:
        raise Stop(_outcome_of(error), **failure_detail(error)) from error
    if identity.team and identity.team.team_id != grant.team_id:
        raise Stop("bad_answer", message="The token answer and the team answer name different teams.")
    _check_team(attempt, grant.team_id, (identity.team.name if identity.team else "") or grant.team_id)
    return identity


def _check_team(attempt: OAuthState, team_id: str, team_name: str) -> None:
    """Raises `Stop` unless it is the expected team, and for a team of another profile: seats would count twice."""
    profile, expected, main = attempt.profile, _expected_team(attempt), attempt.purpose == base.SUBSCRIPTIONS
    if expected and expected != team_id:
        teams = {"expected_team": profile.team_name or expected, "given_team": team_name}
        raise Stop("other_team", **teams, may_replace=main)
    others = profile.sharing_team(team_id) if main and team_id != profile.team_id else []
    if others and not attempt.share_team:
        taken_by = [{"name": other.display_name, "url": other.get_absolute_url()} for other in others]
        replacing = attempt.replace_team
        raise Stop("team_taken", given_team=team_name, taken_by=taken_by, may_share=True, replacing=replacing)


def _expected_team(attempt: OAuthState) -> str:
    """The team the token has to belong to.

    Empty on a first connection, and where the person chose to replace the team.
    """
    if attempt.replace_team and attempt.purpose == base.SUBSCRIPTIONS:
        return ""
    return attempt.profile.team_id


def _next_consent_url(attempt: OAuthState, *, user: User, session_key: str, now: datetime) -> str:
    """The consent URL of a separate reclamation app that has no grant for this team; "" where nothing is left to do."""
    if attempt.purpose != base.SUBSCRIPTIONS:
        return ""
    profile = IntegrationProfile.objects.select_related("alias").get(pk=attempt.profile_id)
    other = profile.alias.credentials.filter(purpose=base.RECLAMATION).first()
    if other is None or not profile.reclaim or (other.is_connected and other.team_id == profile.team_id):
        return ""
    following = ConsentRequest(
        profile=profile, purpose=base.RECLAMATION, user=user, session_key=session_key, popup=attempt.popup
    )
    try:
        return begin(following, now=now)
    except UndecryptableValue:
        return ""


def _record_outcome(attempt: OAuthState, outcome: str, detail: dict[str, Any], user: User) -> Finished:
    """Store how the authorization ended. A session that does not own the row gets no reference to it."""
    attempt.outcome, attempt.outcome_detail = outcome, detail
    attempt.verifier = ""
    attempt.save(update_fields=["outcome", "outcome_detail", "verifier"])
    audit.record(user, "finished authorization", attempt.profile, purpose=attempt.purpose, outcome=outcome, **detail)
    return Finished(outcome, None if outcome == "state_foreign" else attempt, detail=detail)

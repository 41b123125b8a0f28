"""The consent link and the token endpoint: every answer a vendor may give, and what an admin is told."""

from __future__ import annotations

import base64
import datetime as dt
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import responses
from requests.structures import CaseInsensitiveDict

from profiles import connectors
from profiles.connectors import base, tokens
from profiles.connectors.dropbox.sandbox import Fault, Request, Sandbox, application
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.connectors.transport import Bounds
from tests.connectors.doubles import HOST, REDIRECT, World, endpoints, plugged, sample, served

TOKEN = "oauth2/token"
KEY, SECRET = application.DEMO_KEY, application.DEMO_SECRET


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox(redirect_uris=[REDIRECT])) as made:
        yield made


def consent(world: World, verifier: str | None, redirect_uri: str = REDIRECT) -> str:
    """Press Allow as the first admin; gives the code."""
    vendor = connectors.vendor("dropbox")
    url = tokens.authorize_url(
        endpoints(), KEY, redirect_uri, "state", vendor.scopes(), verifier, extra=vendor.authorize_params
    )
    account = next(iter(world.sandbox.teams.values())).admins()[0]["profile"]["team_member_id"]
    form = {**dict(parse_qsl(urlsplit(url).query)), "account": account, "decision": "allow"}
    request = Request(
        method="POST",
        path="/oauth2/authorize",
        headers=CaseInsensitiveDict({"Content-Type": "application/x-www-form-urlencoded"}),
        body=urlencode(form).encode(),
    )
    location = world.sandbox.handle(request).headers["Location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def exchange(code: str = "code", verifier: str | None = "v" * 64, **changes: Any) -> tokens.Grant:
    given = {"client_id": KEY, "client_secret": SECRET, "redirect_uri": REDIRECT, **changes}
    return tokens.exchange(endpoints(), code=code, verifier=verifier, **given)


def test_the_consent_link_carries_what_dropbox_needs() -> None:
    verifier = tokens.new_verifier()
    vendor = connectors.vendor("dropbox")
    extra = {**vendor.authorize_params, **vendor.switch_account_params}
    url = tokens.authorize_url(endpoints(), "key", REDIRECT, "s" * 43, ["b.read", "a.read"], verifier, extra)
    sent = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(f"{HOST}/oauth2/authorize?")
    assert sent.pop("code_challenge") not in ("", verifier)
    assert sent == {
        "response_type": "code",
        "client_id": "key",
        "redirect_uri": REDIRECT,
        "state": "s" * 43,
        "scope": "b.read a.read",
        "code_challenge_method": "S256",
        "token_access_type": "offline",
        "force_reapprove": "true",
        "force_reauthentication": "true",
    }


def test_verifiers_differ_and_are_as_long_as_rfc_7636_asks() -> None:
    assert tokens.new_verifier() != tokens.new_verifier()
    assert 43 <= len(tokens.new_verifier()) <= 128


def test_a_code_becomes_a_team_grant_once(world: World) -> None:
    verifier = tokens.new_verifier()
    code = consent(world, verifier)
    grant = exchange(code, verifier)
    assert grant.team_id in world.sandbox.teams
    assert grant.scopes == connectors.vendor("dropbox").scopes()
    assert (grant.expires_in, grant.token_type, grant.account_id) == (14400, "bearer", "")
    assert grant.refresh_token
    with pytest.raises(tokens.CodeRefused):
        exchange(code, verifier)


def test_the_secret_goes_by_basic_and_nowhere_else() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{HOST}/oauth2/token", json=sample("oauth2_token_success.team"))
        exchange("the-code", "the-verifier-" * 5, client_id="ke:y", client_secret="s&c=r%t")
        sent = mock.calls[0].request
    assert sent.url == f"{HOST}/oauth2/token"
    assert base64.b64decode(sent.headers["Authorization"].split()[1]) == b"ke:y:s&c=r%t"
    assert dict(parse_qsl(sent.body.decode())) == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": REDIRECT,
        "code_verifier": "the-verifier-" * 5,
    }


def test_a_refresh_keeps_the_old_refresh_token(world: World) -> None:
    grant = tokens.refresh(endpoints(), KEY, SECRET, world.refresh_token)
    assert (grant.refresh_token, grant.scopes, grant.expires_in) == ("", None, 14400)
    world.tokens.token = grant.access_token
    assert world.connector().team().name


def test_a_revoked_refresh_token_asks_for_a_person(world: World) -> None:
    with pytest.raises(base.Reconnect, match="revoked") as caught:
        tokens.refresh(endpoints(), KEY, SECRET, "no-such-token")
    assert caught.value.failure.tag == "invalid_grant"
    assert caught.value.failure.request_id


@pytest.mark.parametrize(("key", "secret"), [(KEY, "wrong"), ("wrong", SECRET), (KEY, "")])
def test_a_wrong_key_or_secret_is_named(world: World, key: str, secret: str) -> None:
    with pytest.raises(tokens.WrongClient) as caught:
        tokens.refresh(endpoints(), key, secret, world.refresh_token)
    assert "app secret" in caught.value.remedy


def test_a_redirect_mismatch_is_named(world: World) -> None:
    verifier = tokens.new_verifier()
    with pytest.raises(tokens.RedirectMismatch) as caught:
        exchange(consent(world, verifier), verifier, redirect_uri=REDIRECT + "/")
    assert "redirect URI" in caught.value.remedy


def test_a_wrong_verifier_is_refused(world: World) -> None:
    with pytest.raises(tokens.CodeRefused):
        exchange(consent(world, tokens.new_verifier()), tokens.new_verifier())


def test_a_code_is_too_old_after_ten_minutes(world: World) -> None:
    verifier = tokens.new_verifier()
    code = consent(world, verifier)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)
    world.sandbox.now = lambda: later
    with pytest.raises(tokens.CodeRefused, match="expired"):
        exchange(code, verifier)


OUTAGES: list[tuple[int, Any]] = [
    (500, {"error": "The server has either erred or is incapable of performing the requested operation."}),
    (502, "<html>Bad gateway</html>"),
    (503, b""),
    (400, {"error": "temporarily_unavailable"}),
    (400, {"error": "server_error", "error_description": "no"}),
    (407, "<html>who are you?</html>"),
    (408, b""),
    (400, "<!DOCTYPE html><html></html>"),
    (401, b""),
]
NONSENSE: list[tuple[int, Any]] = [
    (200, "<html>Please sign in to the network</html>"),
    (200, b'{"access_token": "half'),
    (200, b"[]"),
    (200, {}),
    (200, {"access_token": None}),
    (200, {"access_token": ["x"]}),
    (200, {"access_token": "two\nlines"}),
    (200, {"access_token": "n\0l"}),
    (200, {"access_token": "x" * 100_000}),
    (200, {"access_token": "x", "refresh_token": "\0"}),
    (200, {"access_token": "x", "team_id": "dbtid:" + "x" * 300}),
    (200, {"access_token": "x", "account_id": "\ud800"}),
    (200, {"access_token": "x", "token_type": "mac"}),
    (204, b""),
]
MISPLACED: list[tuple[int, Any]] = [
    (302, b""),
    (307, {"access_token": "x", "token_type": "bearer"}),
    (404, "not found"),
    (404, {"error": "invalid_grant"}),
    (405, b""),
]
WAITS: list[tuple[int, Any]] = [
    (429, "too many requests"),
    (429, {"error": "invalid_grant"}),
    (400, {"error": "slow_down"}),
]
REFUSALS: list[tuple[int, Any]] = [
    (400, {"error": "unsupported_grant_type", "error_description": "no"}),
    (400, {"error": "error_of_tomorrow", "error_description": "x" * 9000}),
    (403, {"error": "access_denied"}),
    (403, {"error": "invalid_grant"}),
    (200, {"error": "invalid_grant"}),
    (400, {"error": "unauthorized_client"}),
    (400, {"error": "invalid_scope"}),
    (400, {"access_token": "x", "error": "odd"}),
    (400, {}),
]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(*case, base.TryLater) for case in OUTAGES]
    + [(*case, base.Throttled) for case in WAITS]
    + [(*case, base.UnreadableAnswer) for case in NONSENSE]
    + [(*case, base.ProtocolError) for case in MISPLACED]
    + [(*case, base.Refused) for case in REFUSALS],
)
@pytest.mark.parametrize("refreshing", [True, False])
def test_no_other_answer_costs_the_grant(world: World, status: int, body: Any, error: type, refreshing: bool) -> None:
    headers = {"Location": f"{HOST}/2/stolen"} if 300 <= status < 400 else {}
    world.sandbox.faults.add(TOKEN, None, Fault(status=status, body=body, headers=headers))
    with pytest.raises(error) as caught:
        if refreshing:
            tokens.refresh(endpoints(), KEY, SECRET, "refresh")
        else:
            exchange()
    assert type(caught.value) is error
    assert len(str(caught.value)) < 400
    assert (world.calls(TOKEN), world.calls("stolen")) == (1, 0)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("oauth2_token_error.invalid_client", tokens.WrongClient),
        ("oauth2_token_error.invalid_grant_code", tokens.CodeRefused),
    ],
)
def test_the_recorded_refusals_of_a_code(world: World, name: str, error: type) -> None:
    world.sandbox.faults.add(TOKEN, None, Fault(status=400, body=sample(name)))
    with pytest.raises(error):
        exchange()


def test_scopes_that_shrink_or_grow_are_only_reported(world: World) -> None:
    body = {**sample("oauth2_token_success.team"), "scope": "z.read a.read a.read"}
    world.sandbox.faults.add(TOKEN, None, Fault(status=200, body=body))
    assert exchange().scopes == ("a.read", "z.read")


@pytest.mark.parametrize(("told", "seconds"), [("14400", 14400), (-5, 0), (None, None), (12.7, 12), ("soon", None)])
def test_odd_lifetimes_are_tolerated(world: World, told: Any, seconds: int | None) -> None:
    world.sandbox.faults.add(TOKEN, None, Fault(status=200, body={"access_token": "x", "expires_in": told}))
    assert exchange().expires_in == seconds


def test_a_personal_grant_shows_itself_by_its_missing_team(world: World) -> None:
    world.sandbox.faults.add(TOKEN, None, Fault(status=200, body=sample("oauth2_token_success.user")))
    grant = exchange()
    assert (grant.team_id, bool(grant.account_id)) == ("", True)


def test_no_secret_in_repr_errors_or_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    grant = tokens.Grant(access_token="AAAA", refresh_token="RRRR")
    assert "AAAA" not in repr(grant)
    assert "RRRR" not in repr(grant)
    echo = {"error": "odd", "error_description": f"{SECRET} the-refresh-token"}
    world.sandbox.faults.add(TOKEN, None, Fault(status=400, body=echo))
    with pytest.raises(base.Refused) as caught:
        tokens.refresh(endpoints(), KEY, SECRET, "the-refresh-token")
    for text in (caught.value.failure.body, str(caught.value), caplog.text):
        assert SECRET not in text
        assert "the-refresh-token" not in text


@pytest.mark.parametrize("delivery", [Delivery(drip=0.05), Delivery(drip=0.05, drip_headers=True), Delivery(delay=1.0)])
def test_a_slow_token_endpoint_is_left_at_the_deadline(delivery: Delivery) -> None:
    with served(Sandbox()) as world:
        world.sandbox.faults.add(TOKEN, None, Fault(delivery=delivery))
        began = time.monotonic()
        bounds = Bounds(connect=0.4, read=0.4, total=0.4, max_bytes=1000)
        with pytest.raises(base.TryLater):
            tokens.refresh(endpoints(world.url), KEY, SECRET, world.refresh_token, bounds)
        assert time.monotonic() - began < 0.8


def test_the_default_deadline_is_ten_seconds() -> None:
    assert tokens.TOKEN_BOUNDS.total <= 10


def test_a_hundred_megabytes_are_not_read() -> None:
    with served(Sandbox()) as world:
        world.sandbox.faults.add(TOKEN, None, Fault(status=200, body=b" " * 5_000_000))
        with pytest.raises(base.TryLater, match="larger"):
            tokens.refresh(endpoints(world.url), KEY, SECRET, world.refresh_token)


def test_secrets_do_not_leave_by_plain_http() -> None:
    elsewhere = endpoints("http://dropbox.example")
    with pytest.raises(ValueError, match="https"):
        tokens.refresh(elsewhere, KEY, SECRET, "x")
    with pytest.raises(ValueError, match="https"):
        tokens.authorize_url(elsewhere, KEY, REDIRECT, "state")


def test_disconnecting_never_fails(world: World) -> None:
    assert tokens.revoke(endpoints(), world.tokens.token) is False  # Dropbox refuses a team token here
    grant = world.sandbox.store.issue_grant(app_key=KEY, team_id="", admin_id="", scopes=())
    personal = world.sandbox.store.issue_access_token(grant)
    assert tokens.revoke(endpoints(), personal) is True
    assert grant.grant_id not in world.sandbox.store.grants
    world.sandbox.faults.add("auth/token/revoke", None, Fault(delivery=Delivery(reset=True)))
    assert tokens.revoke(endpoints(), personal) is False
    assert tokens.revoke(endpoints("http://elsewhere.example"), personal) is False


MINDS_BOTH = {"error": "invalid_request", "error_description": "client_secret and code_verifier exclude each other"}


def test_a_server_that_minds_secret_and_verifier_together_gets_the_verifier_alone(world: World) -> None:
    """As Dropbox's SDKs send it: the client named in the form, no secret; its grant is renewed the same way."""
    verifier = tokens.new_verifier()
    code = consent(world, verifier)
    world.sandbox.faults.add(TOKEN, 1, Fault(status=400, body=MINDS_BOTH))
    grant = exchange(code, verifier)
    assert grant.team_id in world.sandbox.teams and world.calls(TOKEN) == 2
    world.sandbox.faults.add(TOKEN, 1, Fault(status=400, body=MINDS_BOTH))
    assert tokens.refresh(endpoints(), KEY, SECRET, grant.refresh_token).access_token


@pytest.mark.parametrize("refreshing", [True, False])
def test_what_stays_invalid_is_told_with_the_first_reason(world: World, refreshing: bool) -> None:
    world.sandbox.faults.add(TOKEN, 1, Fault(status=400, body=MINDS_BOTH))
    world.sandbox.faults.add(TOKEN, 2, Fault(status=400, body={"error": "invalid_grant"}))
    with pytest.raises(base.Refused, match="exclude each other") as caught:
        _ = tokens.refresh(endpoints(), KEY, SECRET, "refresh") if refreshing else exchange()
    assert type(caught.value) is base.Refused and world.calls(TOKEN) == 2


def test_without_a_verifier_a_code_is_never_sent_without_the_secret(world: World) -> None:
    world.sandbox.faults.add(TOKEN, None, Fault(status=400, body={"error": "invalid_request"}))
    with pytest.raises(base.Refused):
        exchange(verifier=None)
    assert world.calls(TOKEN) == 1


def test_a_wrong_secret_is_never_hidden_by_the_verifier(world: World) -> None:
    verifier = tokens.new_verifier()
    with pytest.raises(tokens.WrongClient):
        exchange(consent(world, verifier), verifier, client_secret="wrong")
    assert world.calls(TOKEN) == 1

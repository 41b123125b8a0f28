"""To the letter: what leaves for Dropbox, byte for byte, and what the stand-in refuses because Dropbox would."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
import responses

from profiles import connectors
from profiles.connectors import base, tokens
from profiles.connectors.dropbox.sandbox import Fault, Sandbox, application
from tests import worlds
from tests.connectors.doubles import HOST, REDIRECT, Tokens, World, endpoints, plugged, sample
from tests.connectors.test_sandbox import check

pytestmark = pytest.mark.one_database

LIST, CONTINUE, INFO = "team/members/list_v2", "team/members/list/continue_v2", "team/get_info"
ADMIN, REVOKE = "team/token/get_authenticated_admin", "auth/token/revoke"
KEY, SECRET = application.DEMO_KEY, application.DEMO_SECRET
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# The verifier and its challenge as RFC 7636 prints them in its appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
TEXT = "text/plain; charset=utf-8"
ALWAYS = {"User-Agent", "Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Authorization"}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def sent(wire: responses.RequestsMock, at: int = 0) -> tuple[str, str, bytes]:
    """Method, address and body of a request; no header but the documented ones went with it."""
    request = wire.calls[at].request
    assert set(request.headers) <= ALWAYS
    assert int(request.headers["Content-Length"]) == len(request.body)
    body = request.body
    return str(request.method), str(request.url), body.encode() if isinstance(body, str) else body


# --- what leaves ------------------------------------------------------------------------------------------------------


def test_the_consent_link_is_dropboxs_to_the_last_character() -> None:
    row = connectors.vendor("dropbox")
    link = tokens.authorize_url(
        row.endpoints, "key0", REDIRECT, "st-_~", row.scopes(), VERIFIER, {**row.authorize_params}
    )
    assert link == (
        "https://www.dropbox.com/oauth2/authorize?response_type=code&client_id=key0"
        "&redirect_uri=https%3A%2F%2Fsamsaas.example%2Foauth_redirect.do&state=st-_~"
        "&scope=events.read+groups.read+members.delete+members.read+members.write+team_data.member+team_info.read"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256&token_access_type=offline&force_reapprove=true"
    )


def test_a_code_is_exchanged_in_a_form_with_the_app_named_once(wire: responses.RequestsMock) -> None:
    wire.post(f"{HOST}/oauth2/token", json=sample("oauth2_token_success.team"))
    tokens.exchange(endpoints(), "key0", "secret0", "the/code+", REDIRECT, VERIFIER)
    method, url, body = sent(wire)
    assert (method, url) == ("POST", f"{HOST}/oauth2/token")
    assert sorted(body.split(b"&")) == [
        b"code=the%2Fcode%2B",
        b"code_verifier=" + VERIFIER.encode(),
        b"grant_type=authorization_code",
        b"redirect_uri=https%3A%2F%2Fsamsaas.example%2Foauth_redirect.do",
    ]
    headers = wire.calls[0].request.headers
    assert (headers["Content-Type"], headers["Authorization"]) == (FORM, "Basic a2V5MDpzZWNyZXQw")


def test_a_refresh_names_the_refresh_token_and_nothing_else(wire: responses.RequestsMock) -> None:
    wire.post(f"{HOST}/oauth2/token", json=sample("oauth2_token_refresh_success"))
    tokens.refresh(endpoints(), "key0", "secret0", "the+refresh/token")
    assert sent(wire)[1:] == (
        f"{HOST}/oauth2/token",
        b"grant_type=refresh_token&refresh_token=the%2Brefresh%2Ftoken",
    )
    headers = wire.calls[0].request.headers
    assert (headers["Content-Type"], headers["Authorization"]) == (FORM, "Basic a2V5MDpzZWNyZXQw")


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_revoking_says_null_once_whatever_the_answer(wire: responses.RequestsMock, status: int) -> None:
    wire.post(f"{HOST}/2/auth/token/revoke", body="null", status=status)
    assert tokens.revoke(endpoints(), "sl.token") is (status == 200)
    assert sent(wire) == ("POST", f"{HOST}/2/auth/token/revoke", b"null")
    headers = wire.calls[0].request.headers
    assert (headers["Content-Type"], headers["Authorization"]) == (JSON, "Bearer sl.token")
    assert len(wire.calls) == 1


@pytest.mark.parametrize("api_url", [HOST, f"{HOST}/", f"{HOST}/2", f"{HOST}/2/"])
def test_every_call_of_a_download_is_to_the_letter(wire: responses.RequestsMock, api_url: str) -> None:
    cursor = 'AAC-_+/=" \\{}'
    first = {**sample("team_members_list_v2"), "cursor": cursor, "has_more": True}
    last = {**sample("team_members_list_continue_v2"), "has_more": False}
    for route, answer in (
        (INFO, sample("team_get_info")),
        (ADMIN, sample("team_token_get_authenticated_admin")),
        (LIST, first),
        (CONTINUE, last),
    ):
        wire.post(f"{HOST}/2/{route}", json=answer)
    row = connectors.vendor("dropbox")
    at = row.endpoints_from(lambda name, default: api_url if name == "DROPBOX_API_URL" else default)
    connector = connectors.open("dropbox", at, "key0", Tokens("sl.token"))

    connector.team()
    connector.admin()
    assert len(list(connector.seats())) == 2

    assert [sent(wire, nth) for nth in range(4)] == [
        ("POST", f"{HOST}/2/team/get_info", b"null"),
        ("POST", f"{HOST}/2/team/token/get_authenticated_admin", b"null"),
        ("POST", f"{HOST}/2/team/members/list_v2", b'{"limit":500,"include_removed":false}'),
        ("POST", f"{HOST}/2/team/members/list/continue_v2", json.dumps({"cursor": cursor}).replace(": ", ":").encode()),
    ]
    for call in wire.calls:
        assert call.request.headers["Authorization"] == "Bearer sl.token"
        assert call.request.headers["Content-Type"] == JSON


@pytest.mark.django_db
def test_get_oauth_token_makes_three_calls_and_a_download_one_a_page_between_two_counts(integrator, draft, dropbox):
    worlds.connect(integrator, draft, dropbox)
    assert [route for route, _ in dropbox.log if route != "oauth2/authorize"] == ["oauth2/token", INFO, ADMIN]
    worlds.work()
    dropbox.log.clear()
    [run] = worlds.work()
    assert run.state == "succeeded"
    assert [route for route, _ in dropbox.log] == [INFO, LIST, INFO]


# --- what Dropbox says in prose, and what it means --------------------------------------------------------------------


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox(redirect_uris=[REDIRECT])) as made:
        yield made


def test_a_scope_nobody_ticked_for_the_app_is_named(world: World) -> None:
    """Not the 401 of a token that lacks it: a 400 in prose, which every new app meets (floccus #2291)."""
    world.sandbox.register_app("narrow", "secret", [REDIRECT], ["team_info.read"])
    world.tokens.token = world.sandbox.grant("narrow", scopes=["team_info.read", "members.read"])[0]
    assert world.connector().team().name
    with pytest.raises(base.MissingScope, match="members.read") as caught:
        list(world.connector().seats())
    assert (caught.value.scope, caught.value.failure.status) == ("members.read", 400)
    assert "app console" in caught.value.remedy
    assert world.calls(LIST) == 1


@pytest.mark.parametrize(
    "prose",
    [
        "The given OAuth 2 access token is malformed.",
        'Invalid authorization value in HTTP header "Authorization": "Bearer x".  Expecting "Bearer <access-token>".',
    ],
)
def test_a_token_dropbox_cannot_even_read_asks_for_a_person(world: World, prose: str) -> None:
    text = f'Error in call to API function "{INFO}": {prose}'
    world.sandbox.faults.add(INFO, None, Fault(status=400, body=text))
    with pytest.raises(base.Reconnect):
        world.connector().team()
    assert (world.calls(INFO), len(world.tokens.stale)) == (2, 1)


# --- what the stand-in refuses ----------------------------------------------------------------------------------------


def post(route: str, body: Any, token: str, **headers: str | None) -> requests.Response:
    given = {"Authorization": f"Bearer {token}", "Content-Type": JSON}
    given.update({name.replace("_", "-"): value for name, value in headers.items()})
    return requests.post(f"{HOST}/2/{route}", data=body, headers=given, timeout=5)


PROSE: list[tuple[str, str, dict[str, str], str]] = [
    (INFO, "{}", {}, "request body: expected null, got value"),
    (INFO, '"null"', {}, "request body: expected null, got value"),
    (INFO, "", {}, "request body: could not decode input as JSON"),
    (LIST, "null", {}, "request body: expected object, got null"),
    (LIST, '{"limit":500,"sort":"email"}', {}, "request body: unknown field 'sort'"),
    (CONTINUE, '{"cursor":"c","limit":5}', {}, "request body: unknown field 'limit'"),
    (CONTINUE, '{"cursor":null}', {}, "request body: cursor: expected string, got null"),
    (INFO, "null", {"Content_Type": FORM}, f'Bad HTTP "Content-Type" header: "{FORM}".'),
    (
        INFO,
        "null",
        {"Dropbox_API_Select_Admin": "dbmid:x"},
        'The HTTP header "Dropbox-API-Select-Admin" is not allowed for this function.',
    ),
    (INFO, "null", {"Authorization": "x"}, 'Invalid authorization value in HTTP header "Authorization".'),
    (REVOKE, "null", {}, application.TEAM_ON_PERSONAL_ROUTE),
]


@pytest.mark.parametrize(("route", "body", "headers", "reason"), PROSE)
def test_a_call_not_to_the_letter_is_refused_in_prose(
    world: World, route: str, body: str, headers: dict[str, str], reason: str
) -> None:
    answer = post(route, body, world.tokens.token, **headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, TEXT)
    assert answer.text == f'Error in call to API function "{route}": {reason}'
    assert answer.headers["X-Dropbox-Request-Id"]


def test_a_route_is_only_posted_to(world: World) -> None:
    answer = requests.get(f"{HOST}/2/{INFO}", headers={"Authorization": f"Bearer {world.tokens.token}"}, timeout=5)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, TEXT)
    assert "POST" in answer.text


def test_a_scope_the_token_lacks_and_a_foreign_cursor_are_refused_in_dropboxs_json(world: World) -> None:
    narrow = world.sandbox.grant(scopes=["team_info.read"])[0]
    for answer, status, schema, error in (
        (post(LIST, "{}", narrow), 401, "error_401_auth", {".tag": "missing_scope", "required_scope": "members.read"}),
        (post(INFO, "null", "sl.nobody"), 401, "error_401_auth", {".tag": "invalid_access_token"}),
        (
            post(CONTINUE, '{"cursor":"nowhere"}', world.tokens.token),
            409,
            "error_409_members_list_continue",
            {".tag": "invalid_cursor"},
        ),
    ):
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, JSON)
        check(schema, answer.json())
        assert answer.json()["error"] == error
        assert answer.json()["error_summary"].rstrip(".") == error[".tag"] + "/"


def agreed(world: World, **changes: str | None) -> str:
    """A code, as the first admin's Allow gives it."""
    who = next(iter(world.sandbox.teams.values())).admins()[0]["profile"]["team_member_id"]
    link = {
        "client_id": KEY,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "token_access_type": "offline",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "account": who,
        "decision": "allow",
    }
    form = {name: value for name, value in {**link, **changes}.items() if value is not None}
    answer = requests.post(f"{HOST}/oauth2/authorize", data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]


def ask(form: dict[str, str | None], **given: Any) -> requests.Response:
    fields = {name: value for name, value in form.items() if value is not None}
    body = given.pop("data", urlencode(fields))
    headers = {"Content-Type": FORM, **given.pop("headers", {})}
    return requests.post(
        f"{HOST}/oauth2/token", data=body, headers=headers, auth=given.get("auth", (KEY, SECRET)), timeout=5
    )


def test_the_letter_itself_is_accepted_and_answered_in_dropboxs_shape(world: World) -> None:
    assert base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode() == CHALLENGE + "="
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    answer = ask({**form, "code": agreed(world)})
    assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        200,
        JSON,
        "no-store",
    )
    check("oauth2_token_team_offline_success", answer.json())
    told = ask({"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}).json()
    check("oauth2_token_refresh_success", told)
    assert set(told) == {"access_token", "token_type", "expires_in"}


REFUSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("a code used before", {"again": True}, "invalid_grant", "code doesn't exist or has expired"),
    ("a code nobody gave", {"code": "made-up"}, "invalid_grant", "code doesn't exist or has expired"),
    ("another redirect URI", {"redirect_uri": REDIRECT + "?x"}, "invalid_grant", "redirect_uri mismatch"),
    ("no redirect URI", {"redirect_uri": None}, "invalid_grant", "redirect_uri mismatch"),
    ("another verifier", {"code_verifier": VERIFIER[::-1]}, "invalid_grant", "invalid code verifier"),
    ("the challenge as verifier", {"code_verifier": CHALLENGE}, "invalid_grant", "invalid code verifier"),
    ("no verifier", {"code_verifier": None}, "invalid_grant", "invalid code verifier"),
    ("a verifier nobody asked for", {"link": {"code_challenge": None}}, "invalid_grant", "invalid code verifier"),
    ("the client named twice", {"client_id": KEY}, "invalid_request", 'unknown field "client_id"'),
    ("the secret sent twice", {"client_secret": SECRET}, "invalid_request", 'unknown field "client_secret"'),
    ("an unknown field", {"audience": "x"}, "invalid_request", 'unknown field "audience"'),
    ("an unknown grant type", {"grant_type": "password"}, "unsupported_grant_type", "grant_type is not supported"),
]


@pytest.mark.parametrize(("change", "error", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_the_token_endpoint_refuses(world: World, change: dict[str, Any], error: str, reason: str) -> None:
    change = dict(change)
    code = agreed(world, **change.pop("link", {}))
    again = change.pop("again", False)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    if again:
        assert ask(form).status_code == 200
    answer = ask({**form, **change})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, JSON)
    assert answer.json() == {"error": error, "error_description": reason}
    check("oauth2_token_error", answer.json())


def test_a_wrong_secret_is_refused_in_one_string_and_leaves_the_code_alone(world: World) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    form["code"] = agreed(world)
    answer = ask(form, auth=(KEY, SECRET[:-1]))
    assert (answer.status_code, answer.json()) == (400, sample("oauth2_token_error.invalid_client"))
    check("oauth2_token_error", answer.json())
    assert ask(form).status_code == 200


def test_the_token_endpoint_takes_a_posted_form_only(world: World) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": world.refresh_token}
    assert ask(form, data=json.dumps(form), headers={"Content-Type": JSON}).json()["error"] == "invalid_request"
    in_url = requests.post(f"{HOST}/oauth2/token?{urlencode(form)}", auth=(KEY, SECRET), timeout=5)
    fetched = requests.get(f"{HOST}/oauth2/token", params=form, auth=(KEY, SECRET), timeout=5)
    assert [answer.status_code for answer in (in_url, fetched)] == [400, 400]
    assert ask(form).status_code == 200


def test_without_the_secret_the_client_is_named_in_the_form(wire: responses.RequestsMock) -> None:
    """The documented form of PKCE; used where a server minds the secret beside the verifier."""
    wire.post(f"{HOST}/oauth2/token", json={"error": "invalid_request"}, status=400)
    wire.post(f"{HOST}/oauth2/token", json=sample("oauth2_token_success.team"))
    tokens.exchange(endpoints(), "key0", "secret0", "the/code+", REDIRECT, VERIFIER)
    assert sorted(sent(wire, 1)[2].split(b"&")) == [
        b"client_id=key0",
        b"code=the%2Fcode%2B",
        b"code_verifier=" + VERIFIER.encode(),
        b"grant_type=authorization_code",
        b"redirect_uri=https%3A%2F%2Fsamsaas.example%2Foauth_redirect.do",
    ]
    assert "Authorization" not in wire.calls[1].request.headers

"""What each answer of a vendor means, line by line: every line of the two tables is driven through the real calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profiles.connectors import base, tokens
from profiles.connectors.dropbox.refusals import DROPBOX_REFUSALS
from profiles.connectors.dropbox.removal_tags import REMOVAL_TAGS
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.refusals import Again, Ends, Refusal, as_table
from profiles.connectors.token_refusals import TOKEN_REFUSALS
from tests.connectors.doubles import HOST, REDIRECT, World, endpoints, plugged, sample

INFO, TOKEN = "team/get_info", "oauth2/token"
CONTINUE = "team/members/list/continue_v2"
PAGE = Path(__file__).parents[2] / "docs" / "refusals.md"
HTML = "<!DOCTYPE html><html><body>Bad gateway</body></html>"
Said = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox(redirect_uris=[REDIRECT])) as made:
        yield made


def text(sentence: str) -> str:
    return f'Error in call to API function "{INFO}": {sentence}'


def tagged(tag: str, **more: Any) -> dict[str, Any]:
    return {"error_summary": f"{tag}/..", "error": {".tag": tag, **more}}


def oauth(error: str, description: str = "") -> dict[str, Any]:
    return {"error": error, "error_description": description} if description else {"error": error}


EVERY_VENDOR: dict[str, list[Said]] = {
    "server-trouble": [(500, b""), (502, HTML), (503, oauth("invalid_grant")), (599, tagged("expired_access_token"))],
    "timeout": [(408, b""), (425, HTML)],
    "rate-limit": [
        (429, "slow down"),
        (429, tagged("x")),
        (429, HTML, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        (429, b"", {"Retry-After": "0.5"}),
        (429, oauth("invalid_grant"), {"Retry-After": "-7"}),
    ],
    "redirect": [(302, b"", {"Location": f"{HOST}/2/stolen"}), (307, {"access_token": "x"}), (304, b"")],
    "proxy-sign-in": [(407, HTML), (407, b"")],
}
UNREADABLE: list[Said] = [
    (200, b'{"team_id":'),
    (200, HTML),
    (200, {}),
    (200, b"[]"),
    (200, b""),
    (204, b""),
    (206, "x"),
]

API: dict[str, list[Said]] = {
    **EVERY_VENDOR,
    "unreadable": [*UNREADABLE, (200, b"\0\xff"), (200, {"team_id": 7}), (200, b"[" * 100_000)],
    "token-expired": [(401, tagged("expired_access_token")), (401, tagged("invalid_access_token"))],
    "token-challenged": [(401, "", {"WWW-Authenticate": 'Bearer realm="x", error="invalid_token"'})],
    "scope-missing": [(401, sample("error_401_auth.missing_scope")), (401, tagged("missing_scope"))],
    "admin-suspended": [(401, tagged("user_suspended"))],
    "select-refused": [(401, tagged("invalid_select_user")), (401, tagged("invalid_select_admin"))],
    "route-denied": [(401, tagged("route_access_denied"))],
    "other-401": [(401, tagged("other")), (401, {"error": "other"}), (401, {}), (401, tagged("tag_of_tomorrow"))],
    "plan": [(403, sample("error_403_access.feature"))],
    "team-denied": [(403, tagged("team_access_denied"))],
    "no-permission": [(403, tagged("no_permission")), (403, tagged("paper_access_denied")), (403, tagged("other"))],
    "not-there": [(404, "Not found"), (405, HTML), (410, b""), (404, tagged("x"))],
    "cursor-lost": [(409, tagged("invalid_cursor")), (409, tagged("reset"))],
    **{line.key: [(409, tagged(code)) for code in line.codes] for line in REMOVAL_TAGS},
    "other-409": [(409, tagged("invalid_time_range")), (409, tagged("other")), (409, {"error": "bare"})],
    "no-reason-4xx": [(401, HTML), (403, b""), (409, HTML), (418, "tea"), (400, b"")],
    "other-4xx": [(422, tagged("path_root")), (418, {})],
    "page-400": [(400, HTML), (400, "<html>", {"Content-Type": "text/html; charset=utf-8"})],
    "scope-not-ticked": [
        (400, text("Your app (ID: 1) is not permitted ... does not have the required scope 'members.read'. The owner"))
    ],
    "app-disabled": [
        (400, text("This app is currently disabled.")),
        (400, text("Your app has been suspended.")),
        (401, text("The application was deactivated")),
        (403, text("Your app (ID: 1234567) is disabled.")),
        (400, "This app is currently disabled"),
    ],
    "app-blocked": [
        (400, text("This app is blocked by your team admin.")),
        (400, text("Your team's admin has disabled this app.")),
        (400, text("This app is not allowed for this team.")),
        (403, text("Apps of this kind are restricted by the team's policy")),
    ],
    "app-limit": [
        (400, text("This app has reached its user limit. Contact the app developer.")),
        (400, text("This app is in development mode and can't be authorized by more teams.")),
        (400, text("Development status apps may not do this.")),
    ],
    "personal-token": [
        (400, text("This is a DfB team management function and the access token is not for a team.")),
        (400, text("This function needs a team, but the access token you provided is for a single Dropbox account.")),
        (400, text("The access token is for an individual user")),
    ],
    "team-token": [
        (
            400,
            text(
                "This API function operates on a single Dropbox account, but the OAuth 2 access token you provided is "
                "for an entire Dropbox Business team."
            ),
        )
    ],
    "wrong-team": [
        (400, text("Invalid select user: this user is not on your team")),
        (400, text("The account belongs to a different team.")),
        (400, text("The app is not linked to this team.")),
    ],
    "plan-sentence": [
        (400, text("Your plan does not include this feature.")),
        (400, text("Your team doesn't have access to this API.")),
        (403, text("Not available on your plan")),
    ],
    "token-unreadable": [
        (400, text("The given OAuth 2 access token is malformed.")),
        (400, text("The given OAuth 2 access token doesn't exist or has expired.")),
        (400, text('Invalid authorization value in HTTP header "Authorization": "Bearer x".')),
        (401, "Invalid access token"),
    ],
    "app-not-permitted": [
        (400, text("Your app (ID: 1234567) is not permitted to access this endpoint.")),
        (403, text("This app is not authorized to use this function")),
    ],
    "our-request": [
        (400, text("request body: expected null, got value")),
        (400, text('Bad HTTP "Content-Type" header: "text/plain".')),
        (400, text("request body: could not decode input as JSON")),
        (400, f'Unknown API function: "{INFO}"'),
    ],
    "other-sentence": [
        (400, text("The moon is in the wrong house.")),
        (400, "A sentence of tomorrow"),
        (401, "Who are you?"),
        (403, "Not from here."),
        (400, '{"error": "cut'),
    ],
    "other-400": [(400, tagged("something")), (400, {}), (400, {"error_summary": "a/..", "error": 7})],
}

REFRESHED: dict[str, list[Said]] = {
    **EVERY_VENDOR,
    "unreadable": [
        *UNREADABLE,
        (200, {"access_token": 7}),
        (200, {"access_token": ""}),
        (200, {"access_token": "n\0l"}),
    ],
    "no-token-address": [(404, HTML), (404, oauth("invalid_grant")), (405, b""), (410, "gone")],
    "token-trouble": [
        (400, oauth("temporarily_unavailable")),
        (403, oauth("server_error", "no")),
        (400, oauth("timeout")),
    ],
    "token-slow-down": [(400, oauth("slow_down")), (400, oauth("too_many_requests"), {"Retry-After": "9"})],
    "grant-gone": [
        (400, sample("oauth2_token_error.invalid_grant_refresh")),
        (400, oauth("invalid_grant")),
        (401, oauth("invalid_grant", "revoked because the app was disabled by its user")),
        (400, oauth("invalid_grant: refresh token is invalid or revoked")),
        (400, oauth("INVALID_GRANT")),
    ],
    "app-off": [
        (400, oauth("invalid_client", "This app is disabled")),
        (400, oauth("invalid_client: The app has been suspended.")),
        (403, "This app is currently disabled."),
        (400, oauth("access_denied", "Client is blocked")),
    ],
    "wrong-secret": [
        (400, sample("oauth2_token_error.invalid_client")),
        (400, oauth("invalid_client: Invalid client_id or client_secret")),
        (400, oauth("invalid_client", "Bad secret")),
        (401, oauth("invalid_client"), {"WWW-Authenticate": "Basic realm=x"}),
    ],
    "client-not-known": [
        (401, b"", {"WWW-Authenticate": 'Basic realm="x"'}),
        (401, {}, {"WWW-Authenticate": "Bearer"}),
        (401, "no", {"WWW-Authenticate": "basic"}),
    ],
    "client-not-allowed": [(400, oauth("unauthorized_client")), (401, oauth("unauthorized_client", "not for you"))],
    "scope-refused": [(400, oauth("invalid_scope", "wider than granted"))],
    "request-refused": [(400, oauth("invalid_request", 'unknown field "x"')), (400, oauth("unsupported_grant_type"))],
    "no-reason": [(401, HTML), (403, HTML), (403, b""), (400, "Bad Request"), (400, b"[]"), (451, HTML), (401, b"")],
    "other-refusal": [
        (400, oauth("error_of_tomorrow", "x" * 9000)),
        (403, oauth("invalid_grant")),
        (400, {}),
        (400, {"error": {"code": "invalid_grant"}}),
        (400, {"error": ["invalid_grant"], "error_description": 7}),
        (401, {"error": None}),
        (400, oauth("invalid_grants")),
        (400, oauth("The server has either erred or is incapable of performing the requested operation.")),
    ],
    "refusal-as-success": [(200, oauth("invalid_grant")), (200, oauth("access_denied", "no"))],
}
EXCHANGED: dict[str, list[Said]] = {
    **{key: said for key, said in REFRESHED.items() if key != "grant-gone"},
    "redirect-mismatch": [
        (400, oauth("invalid_grant", "redirect_uri mismatch")),
        (400, oauth("invalid_grant: redirect URI")),
    ],
    "verifier-refused": [
        (400, oauth("invalid_grant", "invalid code verifier")),
        (400, oauth("invalid_grant", "code_verifier does not match")),
    ],
    "code-refused": [(400, sample("oauth2_token_error.invalid_grant_code")), (401, oauth("invalid_grant"))],
}
API_LINES = {line.key: line for line in DROPBOX_REFUSALS}
TOKEN_LINES = {line.key: line for line in TOKEN_REFUSALS}
# What kind of error belongs to what an answer ends, and when it is tried again.
MEANS = {
    base.TryLater: (Ends.NOTHING, Again.SOON),
    base.UnreadableAnswer: (Ends.NOTHING, Again.SOON),
    base.Throttled: (Ends.NOTHING, Again.WHEN_TOLD),
    base.StaleToken: (Ends.TOKEN, Again.NEW_TOKEN),
    base.Reconnect: (Ends.GRANT, Again.CONSENT),
    base.MissingScope: (Ends.PROCESS, Again.CONSENT),
    base.ListingReset: (Ends.LISTING, Again.FIRST_PAGE),
}


def cases(table: dict[str, list[Said]]) -> list[Any]:
    return [
        pytest.param(key, said, id=f"{key}-{said[0]}-{nth}")
        for key, answers in table.items()
        for nth, said in enumerate(answers)
    ]


def fault(said: Said) -> Fault:
    status, body, headers = (*said, {})[:3]
    return Fault(status=status, body=body, headers=headers)


def check_error(error: base.ConnectorError, line: Refusal) -> None:
    """The error is the line's, and what it shows is fit for a page."""
    assert type(error) is line.raises
    assert error.remedy == line.remedy and len(error.remedy) > 20
    shown = str(error)
    assert shown.startswith(line.message.partition("{")[0]) and len(shown) < 600
    assert "{" not in shown.replace('{"error', "") and shown.isprintable() and ".." not in shown.replace("...", "")


@pytest.mark.parametrize(("key", "said"), cases(API))
def test_every_answer_of_the_api_means_what_its_line_says(world: World, key: str, said: Said) -> None:
    line = API_LINES[key]
    route = CONTINUE if line.ends == Ends.LISTING else INFO
    world.sandbox.faults.add(route, None, fault(said))
    connector = world.connector(attempts=2, page_size=50)
    with pytest.raises(base.ConnectorError) as caught:
        _ = list(connector.seats()) if route == CONTINUE else connector.team()
    check_error(caught.value, line)
    tried_again = line.again in (Again.SOON, Again.WHEN_TOLD, Again.NEW_TOKEN)
    assert world.calls(route) == (2 if tried_again else 1)
    assert len(world.tokens.stale) == (line.again == Again.NEW_TOKEN)
    assert "stolen" not in [route for route, _ in world.sandbox.log]


@pytest.mark.parametrize(("key", "said"), cases(API))
def test_what_may_pass_costs_nothing_when_it_has_passed(world: World, key: str, said: Said) -> None:
    """Tried again at once, after a pause or with a new token: one such answer is no more than a retry."""
    if API_LINES[key].again not in (Again.SOON, Again.WHEN_TOLD, Again.NEW_TOKEN):
        return
    world.sandbox.faults.add(INFO, 1, fault(said))
    assert world.connector().team().name == "Nordwind Trading"
    assert world.calls(INFO) == 2


@pytest.mark.parametrize(("key", "said"), cases(REFRESHED))
def test_every_answer_to_a_refresh_means_what_its_line_says(world: World, key: str, said: Said) -> None:
    world.sandbox.faults.add(TOKEN, None, fault(said))
    with pytest.raises(base.ConnectorError) as caught:
        tokens.refresh(endpoints(), "key", "the-client-secret", "the-refresh-token")
    check_error(caught.value, TOKEN_LINES[key])
    assert isinstance(caught.value, base.Reconnect) == (key == "grant-gone")


@pytest.mark.parametrize(("key", "said"), cases(EXCHANGED))
def test_every_answer_to_a_code_means_what_its_line_says(world: World, key: str, said: Said) -> None:
    world.sandbox.faults.add(TOKEN, None, fault(said))
    with pytest.raises(base.ConnectorError) as caught:
        tokens.exchange(endpoints(), "key", "the-client-secret", "the-code", REDIRECT, "v" * 64)
    check_error(caught.value, TOKEN_LINES[key])
    assert not isinstance(caught.value, base.Reconnect)
    assert world.calls(TOKEN) == (2 if key == "request-refused" and "invalid_request" in str(said) else 1)


def test_every_line_has_an_answer_here_and_a_name_of_its_own() -> None:
    assert set(API) == set(API_LINES) and len(API_LINES) == len(DROPBOX_REFUSALS)
    assert set(REFRESHED) | set(EXCHANGED) == set(TOKEN_LINES) and len(TOKEN_LINES) == len(TOKEN_REFUSALS)


@pytest.mark.parametrize("line", [*DROPBOX_REFUSALS, *TOKEN_REFUSALS], ids=lambda line: line.key)
def test_what_a_line_ends_agrees_with_the_error_it_raises(line: Refusal) -> None:
    expected = next((means for kind, means in MEANS.items() if line.raises is kind), None)
    if expected:
        assert (line.ends, line.again) == expected
    else:
        assert line.ends == Ends.RUN and line.again in (Again.NEXT_RUN, Again.CONSENT)


def test_one_line_alone_ends_a_grant() -> None:
    assert [line.key for line in (*DROPBOX_REFUSALS, *TOKEN_REFUSALS) if line.ends == Ends.GRANT] == ["grant-gone"]


def test_the_page_shows_the_same_lines() -> None:
    page = PAGE.read_text()
    for lines in (TOKEN_REFUSALS, DROPBOX_REFUSALS):
        assert as_table(lines) in page, f"docs/refusals.md needs this table:\n{as_table(lines)}"


def test_the_sandbox_words_its_refusals_like_dropbox(world: World) -> None:
    """What the stand-in says itself is on the lines, and not among the sentences that nobody knows."""
    world.tokens.token = "no-such-token"
    world.tokens._renewed = None
    with pytest.raises(base.StaleToken):
        world.connector().team()
    grant = world.sandbox.store.issue_grant(app_key="x", team_id="", admin_id="", scopes=("team_info.read",))
    world.tokens.token = world.sandbox.store.issue_access_token(grant)
    with pytest.raises(base.Refused) as caught:
        world.connector().team()
    assert caught.value.remedy == API_LINES["personal-token"].remedy


def test_a_quoted_sentence_loses_the_name_of_the_call_and_cannot_break_the_page(world: World) -> None:
    hostile = "<script>alert(1)</script> \x1b[31m\u0000 {reason} %s " + "x " * 900
    world.sandbox.faults.add(INFO, None, Fault(status=400, body=text(hostile)))
    with pytest.raises(base.Refused) as caught:
        world.connector().team()
    shown = str(caught.value)
    assert "Error in call" not in shown and "could not read our request" not in shown
    assert shown.isprintable() and len(shown) < 400 and "{reason}" in shown


def test_json_with_a_sentence_is_quoted_by_its_sentence(world: World) -> None:
    body = json.dumps({**tagged("no_permission"), "user_message": {"text": "Ask your admin.", "locale": "en"}})
    world.sandbox.faults.add(INFO, None, Fault(status=403, body=body))
    with pytest.raises(base.Refused, match=r"Ask your admin\."):
        world.connector().team()

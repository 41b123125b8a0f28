"""The stand-in's consent page, its token endpoint and its memory."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from requests.structures import CaseInsensitiveDict

from profiles.connectors.dropbox.sandbox import Request, Response, Sandbox, application
from profiles.connectors.dropbox.sandbox.oauth import PERSONAL
from tests.connectors.doubles import REDIRECT
from tests.connectors.test_sandbox import call, check

KEY, SECRET = application.DEMO_KEY, application.DEMO_SECRET
FORM = "application/x-www-form-urlencoded"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
LINK = {
    "client_id": KEY,
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "state": "the state",
    "scope": "members.read team_info.read",
    "token_access_type": "offline",
    "force_reapprove": "true",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(redirect_uris=[REDIRECT])


def show(sandbox: Sandbox, **changes: str | None) -> Response:
    query = {name: value for name, value in {**LINK, **changes}.items() if value is not None}
    return sandbox.handle(Request(method="GET", path="/oauth2/authorize", query=query))


def send(sandbox: Sandbox, path: str, form: dict[str, Any], query: Any = None, **headers: str) -> Response:
    given = CaseInsensitiveDict({"Content-Type": FORM, **{n.replace("_", "-"): v for n, v in headers.items()}})
    body = urlencode({name: value for name, value in form.items() if value is not None}).encode()
    return sandbox.handle(Request(method="POST", path=path, query=query or {}, headers=given, body=body))


def decide(sandbox: Sandbox, account: str = "", decision: str = "allow", **changes: str | None) -> Response:
    account = account or next(iter(sandbox.teams.values())).admins()[0]["profile"]["team_member_id"]
    return send(sandbox, "/oauth2/authorize", {**LINK, **changes, "account": account, "decision": decision})


def returned(response: Response) -> dict[str, str]:
    assert response.status == 302
    assert response.headers["Location"].startswith(REDIRECT + "?")
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def ask(sandbox: Sandbox, query: Any = None, **changes: Any) -> Response:
    code = changes.pop("code", None) or returned(decide(sandbox))["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": KEY,
        "client_secret": SECRET,
        "code_verifier": VERIFIER,
        **changes,
    }
    return send(sandbox, "/oauth2/token", form, query)


def test_the_page_names_the_app_the_scopes_and_who_may_connect(sandbox: Sandbox) -> None:
    page = show(sandbox)
    html = page.body.decode()
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    assert "Dropbox sandbox" in html
    assert "samsaas demo" in html
    assert "(members.read)" in html
    assert "events.read" not in html
    admins = sum(len(team.admins()) for team in sandbox.teams.values())
    assert html.count('type="radio"') == admins + 2
    assert html.count(" checked>") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": None},
        {"response_type": "token"},
        {"state": "s" * 501},
        {"scope": "files.content.write"},
        {"token_access_type": "forever"},
        {"code_challenge_method": "S1"},
    ],
)
def test_a_malformed_link_ends_on_a_page(sandbox: Sandbox, change: dict[str, str | None]) -> None:
    for response in (show(sandbox, **change), decide(sandbox, **change)):
        assert (response.status, "Location" in response.headers) == (400, False)
        assert b'role="alert"' in response.body


def test_what_a_link_says_is_escaped(sandbox: Sandbox) -> None:
    assert b"<script>" not in show(sandbox, state="<script>").body
    assert b"<script>" not in show(sandbox, client_id='"><script>').body


def test_allow_gives_a_code_and_cancel_an_error_both_with_the_state(sandbox: Sandbox) -> None:
    back = returned(decide(sandbox))
    assert (back["state"], back.keys()) == ("the state", {"code", "state"})
    back = returned(decide(sandbox, decision="cancel"))
    assert (back["state"], back["error"]) == ("the state", "access_denied")


def test_who_is_no_admin_is_told_so(sandbox: Sandbox) -> None:
    somebody = next(iter(sandbox.teams.values())).any_member()["profile"]["team_member_id"]
    response = decide(sandbox, somebody)
    assert response.status == 403
    assert b"You must be team administrator to complete this action" in response.body


def test_a_known_app_returns_at_once_unless_asked_to_show_itself(sandbox: Sandbox) -> None:
    decide(sandbox)
    assert show(sandbox).status == 200
    assert "code" in returned(show(sandbox, force_reapprove=None))


def test_a_team_answer_has_dropboxs_shape(sandbox: Sandbox) -> None:
    answer = ask(sandbox).json()
    check("oauth2_token_team_offline_success", answer)
    assert (answer["uid"], answer["scope"], answer["expires_in"]) == ("", "members.read team_info.read", 14400)
    assert "account_id" not in answer


def test_a_personal_answer_has_no_team(sandbox: Sandbox) -> None:
    answer = ask(sandbox, code=returned(decide(sandbox, PERSONAL))["code"]).json()
    check("oauth2_token_success", answer)
    assert "team_id" not in answer
    refusal = call(sandbox, "team/get_info", None, answer["access_token"])
    assert (refusal.status, b"DfB team management function" in refusal.body) == (400, True)


def test_an_online_answer_has_no_refresh_token(sandbox: Sandbox) -> None:
    code = returned(decide(sandbox, token_access_type="online"))["code"]
    assert "refresh_token" not in ask(sandbox, code=code).json()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": REDIRECT + "/"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client: Invalid client_id or client_secret"),
        ({"client_id": "wrong"}, "invalid_client: Invalid client_id or client_secret"),
        ({"query": {"client_secret": SECRET}}, "invalid_request"),
    ],
)
def test_the_token_endpoint_refuses_as_dropbox_does(sandbox: Sandbox, change: dict[str, Any], error: str) -> None:
    response = ask(sandbox, **change)
    assert (response.status, response.json()["error"]) == (400, error)
    check("oauth2_token_error", response.json())


def test_a_secret_sent_twice_is_sloppy(sandbox: Sandbox) -> None:
    basic = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": sandbox.grant()[1]}
    assert send(sandbox, "/oauth2/token", form, Authorization=basic).status == 200
    assert send(sandbox, "/oauth2/token", {**form, "client_secret": SECRET}, Authorization=basic).status == 400


def test_another_apps_code_and_refresh_token_are_foreign(sandbox: Sandbox) -> None:
    client = {"client_id": application.RECLAIM_KEY, "client_secret": application.RECLAIM_SECRET}
    assert ask(sandbox, **client).json()["error"] == "invalid_grant"
    form = {"grant_type": "refresh_token", "refresh_token": sandbox.grant()[1], **client}
    assert send(sandbox, "/oauth2/token", form).json()["error_description"] == "refresh token is invalid or revoked"


def test_a_refresh_has_dropboxs_shape_and_may_narrow(sandbox: Sandbox) -> None:
    form = {"grant_type": "refresh_token", "client_id": KEY, "client_secret": SECRET}
    form["refresh_token"] = sandbox.grant()[1]
    answer = send(sandbox, "/oauth2/token", form).json()
    check("oauth2_token_refresh_success", answer)
    assert "refresh_token" not in answer
    narrow = send(sandbox, "/oauth2/token", {**form, "scope": "team_info.read"}).json()
    assert narrow["scope"] == "team_info.read"
    assert call(sandbox, "team/members/list_v2", {}, narrow["access_token"]).status == 401


def test_an_access_token_lasts_four_hours(sandbox: Sandbox) -> None:
    token = sandbox.grant()[0]
    start = dt.datetime.now(dt.UTC)
    sandbox.now = lambda: start + dt.timedelta(seconds=14_410)
    assert call(sandbox, "team/get_info", None, token).json()["error"][".tag"] == "expired_access_token"


def test_a_restart_forgets_nobody(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    before = Sandbox(state_file=path)
    before.register_app("own-key", "own-secret", [REDIRECT], ["team_info.read"])
    access, refresh = before.grant("own-key")
    after = Sandbox(state_file=path)
    assert call(after, "team/get_info", None, access).status == 200
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "own-key"}
    assert send(after, "/oauth2/token", {**form, "client_secret": "own-secret"}).status == 200
    assert path.stat().st_mode & 0o077 == 0


def test_production_never_loads_the_sandbox() -> None:
    program = (
        "import sys, profiles.connectors as c, profiles.connectors.tokens; c.choices();"
        "print([m for m in sys.modules if 'sandbox' in m or m.startswith(('django', 'celery'))])"
    )
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

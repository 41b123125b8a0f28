"""Whatever a vendor or a proxy sends back, no token and no secret is kept of it (S-07)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from profiles.connectors import base, tokens
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.redaction import redact
from samsaas.lib import redaction as log_redaction
from tests.connectors.doubles import REDIRECT, World, endpoints, plugged

TOKEN, INFO = "oauth2/token", "team/get_info"
SECRET, REFRESH, CODE, VERIFIER = "cl1ent+secret/0", "the+refresh/token=", "the-code-of-it", "the-verifier-" * 5
BASIC = base64.b64encode(f"key:{SECRET}".encode()).decode()
STRANGE = [
    "sl.u.AFzQ-abcdef_0123456789",
    "sl.B0123456789abcdefghij",
    "Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY0",
]


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox()) as made:
        yield made


def everything_of(error: base.ConnectorError) -> str:
    shown = [f"{error} {error.failure} {error.remedy}"]
    while error.__cause__:
        error = error.__cause__  # type: ignore[assignment]
        shown.append(str(error))
    return "\n".join(shown)


def spellings(text: str) -> list[str]:
    return [text, quote(text), quote_plus(text), quote(text, safe=""), escape(text), json.dumps(text)]


BODIES: list[Any] = [
    lambda text: {"error": "odd", "error_description": f"you sent {text} here"},
    lambda text: {"error": text},
    lambda text: {"error": f"odd: {text}"},
    lambda text: {"error": "odd", "access_token": text, "refresh_token": text, "note": text},
    lambda text: f"<html><pre>Authorization: Basic {text}\nrefresh_token={text}</pre></html>",
    lambda text: f"client_secret={text}&code={text}",
    lambda text: text,
]


ASKS: list[tuple[Any, tuple[str, ...]]] = [
    (lambda: tokens.refresh(endpoints(), "key", SECRET, REFRESH), (SECRET, REFRESH, BASIC)),
    (lambda: tokens.exchange(endpoints(), "key", SECRET, CODE, REDIRECT, VERIFIER), (SECRET, CODE, VERIFIER, BASIC)),
]


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("ask", "sent"), ASKS)
def test_of_a_token_address_no_secret_comes_back_into_sight(
    world: World, status: int, body: Any, ask: Any, sent: tuple[str, ...]
) -> None:
    for spelled in {spelled for text in (*sent, *STRANGE) for spelled in spellings(text)}:
        answer = body(spelled)
        if status == 200 and "access_token" in answer:
            continue  # that would be a grant
        world.sandbox.faults.clear()
        headers = {"X-Dropbox-Request-Id": spelled, "WWW-Authenticate": f"Basic {spelled}"}
        world.sandbox.faults.add(TOKEN, None, Fault(status=status, body=answer, headers=headers))
        with pytest.raises(base.ConnectorError) as caught:
            ask()
        assert spelled.strip('"') not in everything_of(caught.value)


def test_of_a_token_address_nothing_but_error_and_description_is_kept(world: World) -> None:
    body = {"error": "odd", "error_description": "because", "access_token": "short1", "email": "ann@example.com"}
    for status, kept in ((400, True), (500, False), (404, False)):
        world.sandbox.faults.clear()
        world.sandbox.faults.add(TOKEN, None, Fault(status=status, body=body))
        with pytest.raises(base.ConnectorError) as caught:
            tokens.refresh(endpoints(), "key", SECRET, REFRESH)
        shown = everything_of(caught.value)
        assert "short1" not in shown and "ann@example.com" not in shown
        assert ("because" in shown) or not kept
    for page in ("<html>token: short1</html>", "token short1", '{"access_token": "short1'):
        world.sandbox.faults.clear()
        world.sandbox.faults.add(TOKEN, None, Fault(status=400, body=page))
        with pytest.raises(base.TryLater) as later:
            tokens.refresh(endpoints(), "key", SECRET, REFRESH)
        assert "short1" not in everything_of(later.value) and later.value.failure.body == ""


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422, 500])
@pytest.mark.parametrize("text", [SECRET, REFRESH, *STRANGE])
def test_of_an_api_no_secret_comes_back_into_sight(world: World, status: int, text: str) -> None:
    world.tokens.hidden = (SECRET, REFRESH)
    for body in (
        f'Error in call to API function "team/get_info": {text}',
        {"error_summary": text, "error": {".tag": text, "note": text}},
        {"error_summary": "x", "error": {".tag": "x"}, "user_message": {"text": f"with {text}"}},
        f"<html>Authorization: Bearer {text}</html>",
        f'{{"client_secret": "{text}", "x": "{quote(text, safe="")}"',
    ):
        world.sandbox.faults.clear()
        world.sandbox.faults.add(INFO, None, Fault(status=status, body=body, headers={"X-Dropbox-Request-Id": text}))
        with pytest.raises(base.ConnectorError) as caught:
            world.connector(attempts=1).team()
        assert text not in everything_of(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer abcdefgh12345",
        "authorization=Basic%20abcdefgh12345",
        "see sl.u.ABCdef-123456 there",
        '{"access_token": "abcdefgh12345"}',
        "{'refresh_token': 'abcdefgh12345'}",
        '{\\"client_secret\\": \\"abcdefgh12345\\"}',
        "refresh_token=abcdefgh12345&x=1",
        "client_secret%3Dabcdefgh12345",
        "code_verifier: abcdefgh12345",
        "https://user:abcdefgh12345@proxy.example:8080",
        "&quot;access_token&quot;: abcdefgh12345",
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str) -> None:
    assert "abcdefgh12345" not in redact(line) and "ABCdef" not in redact(line)


@pytest.mark.parametrize("line", ["Bearer abcdefgh12345", "sl.u.ABCdef-123456", "client_secret=abcdefgh12345"])
def test_log_lines_and_evidence_hide_the_same(line: str) -> None:
    assert ("abcdefgh12345" in redact(line)) == ("abcdefgh12345" in log_redaction.redact(line))


@pytest.mark.parametrize(
    "line",
    [
        "code doesn't exist or has expired",
        "refresh token is invalid or revoked",
        "Your app (ID: 1234567) is not permitted to access this endpoint",
        "does not have the required scope 'members.read'",
        "status code: 404",
        "The secret of the app is wrong.",
        "request body: expected null, got value",
    ],
)
def test_ordinary_sentences_stay_as_they_are(line: str) -> None:
    assert redact(line) == line

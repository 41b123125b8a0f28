"""The whole way over real sockets: consent link, page, form, code, token, members, refresh, goodbye."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from profiles import connectors
from profiles.connectors import base, tokens
from profiles.connectors.dropbox.sandbox import Fault, Sandbox, application
from profiles.connectors.dropbox.sandbox.team import LargeTeam
from tests.connectors.doubles import Tokens, World, endpoints, served

KEY, SECRET = application.DEMO_KEY, application.DEMO_SECRET


class Form(HTMLParser):
    """The form of a page as a browser would send it: hidden fields, the checked radio, and the buttons apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.radios: list[str] = []
        self.buttons: list[str] = []
        self.action = ""
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = at["action"]
        elif tag == "button":
            self.buttons.append(at["value"])
        elif tag == "input":
            if at["type"] == "radio":
                self.radios.append(at["value"])
            if at["type"] == "hidden" or "checked" in at:
                self.fields[at["name"]] = at["value"]


@pytest.fixture
def world() -> Iterator[World]:
    with served(Sandbox([LargeTeam(120)])) as made:
        yield made


def press(world: World, url: str, decision: str = "allow") -> dict[str, list[str]]:
    """Open the consent link, press a button; gives what the browser is sent back with."""
    page = requests.get(url, timeout=5)
    form = Form(page.text)
    sent = {**form.fields, "decision": decision}
    answer = requests.post(world.url + form.action, data=sent, allow_redirects=False, timeout=5)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


@pytest.mark.parametrize("redirect_uri", application.LOCAL_REDIRECT_URIS)
def test_from_the_consent_link_to_the_last_member(world: World, redirect_uri: str) -> None:
    at, row, verifier = endpoints(world.url), connectors.vendor("dropbox"), tokens.new_verifier()
    state = "s&t ä=+#"
    url = tokens.authorize_url(at, KEY, redirect_uri, state, row.scopes(), verifier, row.authorize_params)
    back = press(world, url)
    assert back["state"] == [state]
    grant = tokens.exchange(at, KEY, SECRET, back["code"][0], redirect_uri, verifier)
    source = Tokens(grant.access_token, lambda: tokens.refresh(at, KEY, SECRET, grant.refresh_token).access_token)
    connector = connectors.open("dropbox", at, KEY, source, base.Limits(page_size=50))
    assert connector.team().team_id == grant.team_id
    assert connector.admin().email == next(iter(world.sandbox.teams.values())).admins()[0]["profile"]["email"]
    world.sandbox.faults.add("team/members/list/continue_v2", 1, Fault(status=401, body=expired()))
    found = [seat.external_id for page in connector.seats() for seat in page.items]
    assert len(found) == len(set(found)) == 120
    assert source.stale == [grant.access_token]
    assert tokens.revoke(at, source.token) is False
    assert all(secret not in route for secret in (SECRET, verifier) for route, _ in world.sandbox.log)


def expired() -> dict[str, Any]:
    return {"error_summary": "expired_access_token/..", "error": {".tag": "expired_access_token"}}


def test_cancel_comes_back_as_a_refusal(world: World) -> None:
    url = tokens.authorize_url(endpoints(world.url), KEY, application.LOCAL_REDIRECT_URIS[0], "state")
    assert press(world, url, "cancel")["error"] == ["access_denied"]


def test_the_consent_page_is_a_plain_form_that_says_it_is_a_sandbox(world: World) -> None:
    url = tokens.authorize_url(endpoints(world.url), KEY, application.LOCAL_REDIRECT_URIS[0], "state")
    page = requests.get(url, timeout=5)
    form = Form(page.text)
    assert "script" not in form.tags
    assert {"fieldset", "legend", "label", "h1", "main"} <= form.tags
    assert form.buttons == ["allow", "cancel"]
    assert form.fields["account"] == form.radios[0]
    assert "Nothing here reaches Dropbox" in page.text
    assert 'name="viewport"' in page.text


def test_the_sandboxs_own_address_tells_what_is_here_and_no_secret(world: World) -> None:
    page = requests.get(world.url + "/", timeout=5)
    assert page.status_code == 200
    assert KEY in page.text
    assert application.LOCAL_REDIRECT_URIS[0] in page.text
    assert SECRET not in page.text


def test_a_resumed_listing_without_a_next_cursor_does_not_start_again(world: World) -> None:
    """More to come, but no word of where: asking without a cursor would list everybody from the first page."""
    connector = connectors.open("dropbox", endpoints(world.url), KEY, world.tokens, base.Limits(page_size=50))
    cursor = next(connector.seats()).cursor
    lost = Fault(status=200, body={"members": [], "cursor": "", "has_more": True})
    world.sandbox.faults.add("team/members/list/continue_v2", None, lost)
    with pytest.raises(base.ProtocolError):
        list(connector.seats(cursor))
    assert world.calls("team/members/list_v2") == 1

"""Addresses somebody else chose: where to go on, and by which name the product calls itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.test import Client

from tests import factories, worlds

pytestmark = [pytest.mark.fault, pytest.mark.django_db, pytest.mark.one_database]
HERE = "http://testserver"
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http://testserver@evil.example/",
    "http://evil.example\\@testserver/",
    "http://evil.example#@testserver/",
    "http://testserver.evil.example/",
    "http://evil.example?testserver/",
    "//evil.example%2F..",
    "//0x7f000001/",
    "//[::ffff:127.0.0.1]:9/",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\n//evil.example",
    "\x00//evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "ftp://evil.example/",
    "http://[evil.example",
    "//evil.example:80@testserver",
    "/.evil.example//evil.example",
)
HOSTS = (
    "evil.example",
    "localhost.evil.example",
    "evil.example:8000",
    "testserver@evil.example",
    "testserver:80@evil.example",
    "testserver, evil.example",
    "evil.example#testserver",
    "testserver/evil.example",
    "testserver\\.evil.example",
    "[::1].evil.example",
    "0x7f.1",
    "..",
    " evil.example",
)


def leads_to(location: str, page: str) -> str:
    """The origin a browser would go to: it reads a backslash as a slash and drops tabs and line ends."""
    seen = location.replace("\\", "/")
    for character in "\t\r\n":
        seen = seen.replace(character, "")
    target = urlsplit(urljoin(HERE + page, seen.strip("\x00 ")))
    return f"{target.scheme}://{target.netloc}"


def test_no_address_of_the_corpus_leads_away(account: Any, signed_in: Any, measured: Any) -> None:
    account("sam_user", username="ann")
    keeper = signed_in("sam_admin")
    seat = factories.subscription(email="ann@example.com")
    person = factories.person("ann@example.com")
    escapes, tried = [], 0
    for place in ELSEWHERE:
        client = Client()
        sent = {"username": "ann", "password": "a long password", "next": place}
        back = {"pair": f"{seat.pk}:{person.pk}", "back": place}
        for page, answer in (
            ("/accounts/login/", client.post("/accounts/login/", sent)),
            ("/accounts/login/", client.get(f"/accounts/login/?next={quote(place)}")),
            ("/accounts/logout/", client.post("/accounts/logout/", {"next": place})),
            ("/core/login/", Client().post(f"/core/login/?next={quote(place)}", sent)),
            ("/oauth_redirect.do", keeper.get(f"/oauth_redirect.do?next={quote(place)}&redirect_uri={quote(place)}")),
            ("/subscriptions-without-user/match/", keeper.post("/subscriptions-without-user/match/", back)),
            (f"/{place.lstrip('/')}", keeper.get("/" + quote(place.lstrip("/")))),
        ):
            tried += 1
            location = answer.headers.get("Location", "")
            if answer.status_code >= 500 or (location and leads_to(location, page) != HERE):
                escapes.append((page, place, answer.status_code, location))
    assert escapes == [] and seat.match
    measured("F15", f"{len(ELSEWHERE)} addresses elsewhere, {tried} places to give them", "escapes", len(escapes))


def test_no_host_header_makes_the_product_call_itself_otherwise(integrator: Any, draft: Any, measured: Any) -> None:
    pages = ("/", "/accounts/login/", "/integration-profiles/", f"/integration-profiles/{draft.pk}/", "/no-such-page")
    escapes, tried = [], 0
    for host in HOSTS:
        for page in pages:
            for headers in ({"HTTP_HOST": host}, {"HTTP_X_FORWARDED_HOST": host, "HTTP_X_FORWARDED_SERVER": host}):
                answer = integrator.get(page, **headers)
                tried += 1
                told = f"{answer.headers} {answer.content.decode()}"
                refused = answer.status_code == 400 or "HTTP_HOST" not in headers
                if "evil.example" in told or not refused or answer.status_code >= 500:
                    escapes.append((host, page, answer.status_code))
        asked = integrator.post(
            f"/integration-profiles/{draft.pk}/authorize/", HTTP_X_FORWARDED_HOST=host, HTTP_REFERER=f"https://{host}/"
        )
        tried += 1
        if "redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Foauth_redirect.do" not in asked["Location"]:
            escapes.append((host, "authorize", asked["Location"]))
    assert escapes == []
    assert worlds.press(integrator, draft)
    measured("F15", f"{len(HOSTS)} hostile Host and forwarding headers, {tried} requests", "escapes", len(escapes))

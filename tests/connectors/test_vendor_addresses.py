"""A vendor's address is safe only if all programs read the same host in it (S-19)."""

from __future__ import annotations

import pytest

from profiles import connectors
from profiles.connectors import base, tokens
from profiles.connectors.transport import Bounds, UnsafeAddress, exchange_once, is_loopback, require_secure
from tests.connectors.doubles import Tokens, endpoints

READ_DIFFERENTLY = [
    "https://good.example\\@evil.example/",
    "https://good.example\\.evil.example/x",
    "http://evil.example\\@127.0.0.1/",
    "http://127.0.0.1\\@evil.example/",
    "http://127.0.0.1:80\\@evil.example/",
    "https://good.example/\\@evil.example",
    "http://localhost@evil.example",
    "http://127.0.0.1:80@evil.example",
    "https://user:password@good.example",
    "https://@good.example/",
    "https://good.example/\tx",
    "ht\ntps://good.example",
    "https://good.\texample/",
    " https://good.example",
    "https://good.example ",
    "https://good.example/\x7f",
    "https://good\u3002example/",
    "https://good\uff0eexample/",
    "https://\uff47ood.example/",
    "https://g\u00f6\u00f6d.example/",
    "https://good.example/\u202eevil",
    "https://%67ood.example/",
    "https://good%2eexample/",
    "https://good.example%00.evil.example/",
    "http://[::1%25lo]:9/",
    "http://[::1%lo]/",
    "http://localhost./",
    "http://127.0.0.1./",
    "https://good.example./",
    "https:///nowhere",
    "https:good.example",
    "https:/good.example",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.1#@evil.example/",
    "https://good.example/#x",
    "https://good.example:99999/",
    "https://good.example:8o/",
    "https://[::1",
    "https://good.example,evil.example@x/",
    "file:///etc/passwd",
    "HTTP://evil.example/",
    "javascript:alert(1)",
]
PLAIN = [
    "https://api.example",
    "https://api.example/2/team/get_info",
    "HTTPS://API.example/",
    "https://api.example:8443",
    "https://[2001:db8::1]/x",
    "https://xn--gd-1ja.example/",
    "https://api.example/a@b",
    "http://127.0.0.1:9",
    "http://[::1]:9",
    "http://localhost",
    "HTTP://LOCALHOST:80/x",
]


@pytest.mark.parametrize("url", READ_DIFFERENTLY)
def test_what_two_programs_may_read_differently_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(UnsafeAddress, match="https") as caught:
        require_secure(url)
    assert "password" not in str(caught.value) and "settings" in caught.value.remedy
    with pytest.raises(ValueError, match="https"):
        exchange_once(url, b"x", {"Authorization": "Basic secret"}, Bounds(connect=1, read=1, total=1, max_bytes=10))
    with pytest.raises(ValueError, match="https"):
        connectors.open("dropbox", endpoints(url), "key", Tokens("t")).team()
    with pytest.raises(ValueError, match="https"):
        tokens.refresh(endpoints(url), "key", "secret", "refresh")
    with pytest.raises(ValueError, match="https"):
        tokens.authorize_url(endpoints(url), "key", "https://samsaas.example/oauth_redirect.do", "state")


@pytest.mark.parametrize("url", PLAIN)
def test_a_plain_address_is_used_as_it_stands(url: str) -> None:
    assert require_secure(url) == url


def test_an_unsafe_address_is_a_refusal_and_not_an_outage() -> None:
    assert issubclass(UnsafeAddress, base.Refused) and not is_loopback("https://[::1")

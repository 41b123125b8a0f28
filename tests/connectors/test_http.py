"""Time, size and sockets: what a hostile or broken network does to a call. Each case ends within two seconds."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from profiles import connectors
from profiles.connectors import base, deadline, transport
from profiles.connectors.base import Limits
from profiles.connectors.dropbox.client import DropboxClient, DropboxDialect
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.connectors.http import VendorSession, retry_after
from profiles.connectors.transport import Answer
from tests.connectors.doubles import Tokens, World, endpoints, served

INFO = "team/get_info"


@pytest.fixture
def world() -> Iterator[World]:
    with served(Sandbox()) as made:
        yield made


@pytest.fixture(autouse=True)
def within_two_seconds() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("delivery", [Delivery(drip=0.05), Delivery(drip=0.05, drip_headers=True), Delivery(delay=1.2)])
def test_a_server_that_drips_or_stalls_is_left_at_the_deadline(world: World, delivery: Delivery) -> None:
    world.sandbox.faults.add(INFO, None, Fault(delivery=delivery))
    began = time.monotonic()
    with pytest.raises(base.TryLater):
        world.connector(deadline=0.5, read_timeout=0.4, attempts=3).team()
    assert time.monotonic() - began < 0.9


def test_a_chunked_answer_that_drips_after_connection_close_is_left_too() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(60):
                connection.sendall(b"0")
                time.sleep(0.05)
        except OSError:
            connection.close()

    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(base.TryLater):
        connectors.open("dropbox", endpoints(url), "key", Tokens("t"), Limits(deadline=0.4, attempts=1)).team()
    listener.close()


@pytest.mark.parametrize("delivery", [Delivery(reset=True), Delivery(truncate=40)])
def test_a_reset_or_half_answer_is_tried_again(world: World, delivery: Delivery) -> None:
    world.sandbox.faults.add(INFO, 1, Fault(delivery=delivery))
    connector = world.connector()
    assert connector.team().name == "Nordwind Trading"
    assert (connector.counters.requests, connector.counters.retries) == (2, 1)


def test_a_reset_that_lasts_is_an_outage(world: World) -> None:
    world.sandbox.faults.add(INFO, None, Fault(delivery=Delivery(reset=True)))
    with pytest.raises(base.AnswerLost):
        world.connector(attempts=2).team()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    limits = Limits(attempts=2, backoff=0.01)
    with pytest.raises(base.TryLater) as caught:
        connectors.open("dropbox", endpoints(f"http://127.0.0.1:{port}"), "key", Tokens("t"), limits).team()
    assert not isinstance(caught.value, base.AnswerLost)


def test_an_answer_above_the_cap_is_left_unread(world: World) -> None:
    world.sandbox.faults.add(INFO, None, Fault(status=200, body=b"x" * 3_000_000))
    with pytest.raises(base.TryLater, match="larger"):
        world.connector(max_bytes=1_000_000).team()
    assert world.calls(INFO) == 1


def test_the_cap_counts_after_decompression(world: World) -> None:
    bomb = Fault(status=200, body=gzip.compress(b"x" * 20_000_000), headers={"Content-Encoding": "gzip"})
    world.sandbox.faults.add(INFO, None, bomb)
    with pytest.raises(base.TryLater, match="larger"):
        world.connector(max_bytes=1_000_000).team()


def test_a_redirects_body_is_not_read_without_bound(world: World) -> None:
    endless = Fault(status=307, body=b"x" * 3_000_000, headers={"Location": f"{world.url}/2/stolen"})
    world.sandbox.faults.add(INFO, None, endless)
    with pytest.raises(base.ConnectorError):
        world.connector(max_bytes=1_000_000).team()
    assert world.calls("stolen") == 0


@pytest.mark.parametrize(
    ("status", "body"), [(503, ""), (200, "<html>"), (200, ""), (204, ""), (400, "<html>"), (408, "")]
)
@pytest.mark.parametrize("route", ["team/members/remove", "team/members/suspend", "a/route/of/tomorrow"])
def test_a_call_with_an_effect_is_not_repeated(world: World, route: str, status: int, body: str) -> None:
    world.sandbox.faults.add(route, None, Fault(status=status, body=body))
    dialect, limits = DropboxDialect(), Limits()
    session = VendorSession(
        client_id="k",
        token_source=world.tokens,
        dialect=dialect,
        limits=limits,
        wait=lambda *_: None,
        api_url=world.url,
    )
    with pytest.raises((base.TryLater, base.UnreadableAnswer)):
        DropboxClient(session, world.url).call(route, {"user": "x"})
    assert world.calls(route) == 1


def test_one_connection_serves_a_whole_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    connect = deadline._WatchedHTTP.connect
    monkeypatch.setattr(deadline._WatchedHTTP, "connect", lambda self: (opened.append(self), connect(self))[1])
    connector = world.connector(page_size=20)
    assert sum(len(page.items) for page in connector.seats()) == 248
    assert connector.counters.requests == 13
    assert len(opened) == 1


def test_the_vendors_clock_is_compared(world: World) -> None:
    world.sandbox.faults.add(INFO, None, Fault(headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    connector = world.connector()
    connector.team()
    assert connector.counters.clock_skew is not None
    assert connector.counters.clock_skew < -10 * 365 * 86400


def test_no_secret_reaches_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("requests_oauthlib", "oauthlib", "urllib3"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    world.connector().team()
    assert world.tokens.token not in caplog.text
    assert logging.getLogger("requests_oauthlib.oauth2_session").getEffectiveLevel() >= logging.INFO


@pytest.mark.parametrize("url", ["http://api.example", "ftp://localhost", "http://127.0.0.1.example", "//x", ""])
def test_a_token_leaves_by_tls_or_stays_on_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        connectors.open("dropbox", endpoints(url), "key", Tokens("t"))


@pytest.mark.parametrize("url", ["https://api.example", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost"])
def test_tls_and_loopback_are_fine(url: str) -> None:
    assert transport.require_secure(url) == url


@pytest.mark.parametrize("told", [None, float("nan"), float("inf"), -5.0])
def test_nonsense_in_a_429_body_is_a_second(told: float | None) -> None:
    assert retry_after(Answer(status=429), told) == 1.0


def test_a_date_counts_by_the_vendors_own_clock() -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:29:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(Answer(status=429, headers=headers)) == 60.0


def test_a_token_address_in_trouble_is_asked_again(world: World) -> None:
    """A refresh has no effect that could come twice, so a hiccup there costs a pause and not the night's run."""
    answers = [base.TryLater("503"), base.AnswerLost("reset"), world.tokens.token]

    def ask() -> str:
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    world.tokens.access_token = ask  # type: ignore[method-assign]
    connector = world.connector(backoff=0.01)
    assert connector.team().name
    assert len(world.waits) == 2 and connector.counters.retries == 2


def test_a_token_address_that_stays_in_trouble_is_an_outage(world: World) -> None:
    def ask() -> str:
        raise base.TryLater("503")

    world.tokens.access_token = ask  # type: ignore[method-assign]
    with pytest.raises(base.TryLater):
        world.connector(attempts=3, backoff=0.01).team()
    assert len(world.waits) == 2

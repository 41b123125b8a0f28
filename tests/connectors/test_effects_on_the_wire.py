"""Calls with an effect over real sockets: what reached the vendor may have happened, what did not has not."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from profiles import connectors
from profiles.connectors import base, deadline
from profiles.connectors.base import Limits
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.messages import Delivery
from tests.connectors.doubles import Tokens, World, endpoints, served
from tests.connectors.test_transport import self_signed

REMOVE = "team/members/remove"
LIMITS = Limits(deadline=0.6, connect_timeout=0.4, read_timeout=0.5, backoff=0.01)
CLOSED = b"Connection: close\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + CLOSED
Behave = Callable[[socket.socket], None]


def read_request(connection: socket.socket) -> bytes:
    """One whole request."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


class Server:
    """A server that hears requests and does what it is told with the connection."""

    def __init__(self, behave: Behave, *, wrap: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self._behave, self._wrap = behave, wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            secured = self._wrap.wrap_socket(connection, server_side=True) if self._wrap else connection
            with secured:
                self.heard.append(read_request(secured))
                self._behave(secured)
        except (OSError, ValueError):
            connection.close()

    def close(self) -> None:
        self._listener.close()


@contextmanager
def serving_with(behave: Behave, **how: Any) -> Iterator[Server]:
    server = Server(behave, **how)
    try:
        yield server
    finally:
        server.close()


def connect(url: str, limits: Limits = LIMITS) -> Any:
    def wait(seconds: float, reason: str) -> None:
        raise AssertionError("an effect never waits")

    return connectors.open("dropbox", endpoints(url), "key", Tokens("token"), limits, wait)


def says(answer: bytes) -> Behave:
    return lambda connection: connection.sendall(answer)


def drip(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n")
    for _ in range(60):
        connection.sendall(b" ")
        time.sleep(0.05)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


REACHED: dict[str, Behave] = {
    "closed without a word": lambda connection: None,
    "reset": reset,
    "silent": lambda connection: time.sleep(1.0),
    "drips": drip,
    "half a status line": says(b"HTTP/1.1 20"),
    "no status line": says(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "half the headers": says(HEAD),
    "too many headers": says(HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n"),
    "an endless header": says(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n"),
    "a body that is cut": says(HEAD + b'Content-Length: 22\r\n\r\n{".tag": "comp'),
    "a chunk that is cut": says(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{".ta\r\n'),
    "a chunk of nonsense": says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"),
    "two lengths": says(HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"),
    "packed and broken": says(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
    "too large": says(HEAD + b"Content-Length: 3000000\r\n\r\n" + b" " * 3_000_000),
    "empty success": says(HEAD + b"Content-Length: 0\r\n\r\n"),
    "a page": says(HEAD + b"Content-Length: 6\r\n\r\n<html>"),
    "503": says(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n" + CLOSED + b"Content-Length: 0\r\n\r\n"),
    "500 in Dropbox's words": says(b"HTTP/1.1 500 No\r\n" + CLOSED + b'\r\n{"error": {".tag": "user_not_found"}}'),
    "early hints and the end": says(b"HTTP/1.1 103 Early Hints\r\n" + CLOSED + b"\r\n"),
}


@pytest.mark.parametrize("name", REACHED)
def test_what_reached_the_vendor_may_have_happened(name: str) -> None:
    limits = Limits(deadline=0.6, connect_timeout=0.4, read_timeout=0.5, max_bytes=1_000_000)
    with serving_with(REACHED[name]) as server:
        connector = connect(f"http://127.0.0.1:{server.port}", limits)
        for verb in (connector.withdraw, connector.restore):
            began = time.monotonic()
            with pytest.raises(base.AnswerLost) as caught:
                verb("dbmid:x")
            assert time.monotonic() - began < 1.5 and "looked at again" in caught.value.remedy
        with pytest.raises(base.AnswerLost):
            connector.finish("dbmid:x", destination="dbmid:y", transfer_admin="dbmid:y")
        assert len(server.heard) == 3, "each was sent once"


def unsent(url: str, **limits: Any) -> base.ConnectorError:
    bounds = {"deadline": 0.6, "connect_timeout": 0.4, "read_timeout": 0.5, **limits}
    with pytest.raises(base.TryLater) as caught:
        connect(url, Limits(**bounds)).withdraw("dbmid:x")
    assert type(caught.value) is base.TryLater, "nothing was sent, so nothing can have happened"
    return caught.value


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    unsent(f"http://127.0.0.1:{port}")


def test_the_name_is_not_known() -> None:
    unsent("https://no-such-host.invalid")


def test_the_name_is_looked_up_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline.socket, "getaddrinfo", lambda *given, **more: time.sleep(0.6) or [])
    unsent("https://slow.invalid", deadline=0.3)


def test_the_connection_is_never_taken() -> None:
    """A listener with a full backlog, as behind a firewall that drops."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        unsent(f"http://127.0.0.1:{port}", deadline=0.5)
        for one in waiting:
            one.close()


@pytest.mark.parametrize("behave", [says(b"HTTP/1.1 400 No\r\n\r\n"), reset, lambda connection: time.sleep(1.0)])
def test_there_is_no_tls(behave: Behave) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def listen() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            behave(connection)

    threading.Thread(target=listen, daemon=True).start()
    unsent(f"https://127.0.0.1:{listener.getsockname()[1]}")
    listener.close()
    assert b"dbmid:x" not in b"".join(heard)


def test_the_time_is_over_while_tls_is_agreed_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        unsent(f"https://127.0.0.1:{port}", deadline=0.3, connect_timeout=2.0, read_timeout=2.0)


def test_the_certificate_is_a_strangers(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "own.pem"))
    with serving_with(says(HEAD + b"\r\n{}"), wrap=context) as server:
        unsent(f"https://127.0.0.1:{server.port}")
        assert server.heard == []


@pytest.fixture
def world() -> Iterator[World]:
    with served(Sandbox()) as made:
        yield made


def a_member(world: World) -> str:
    return str(next(iter(world.sandbox.teams.values())).any_member()["profile"]["team_member_id"])


@pytest.mark.parametrize(
    "fault",
    [
        Fault(delivery=Delivery(reset=True)),
        Fault(delivery=Delivery(truncate=7)),
        Fault(delivery=Delivery(delay=1.0)),
        Fault(delivery=Delivery(drip=0.1, drip_headers=True)),
        Fault(status=503, acts=True),
    ],
    ids=["reset", "cut", "late", "drips", "503"],
)
def test_an_effect_whose_answer_is_lost_came_once_and_a_look_tells(world: World, fault: Fault) -> None:
    world.sandbox.faults.add(REMOVE, None, fault)
    connector: Any = world.connector(deadline=0.6, read_timeout=0.4)
    member = a_member(world)
    with pytest.raises(base.AnswerLost):
        connector.withdraw(member)
    assert connector.look([member])[0].state == "withdrawn"
    assert (world.calls(REMOVE), [done.what for done in world.sandbox.done], world.waits) == (1, ["remove"], [])


def test_a_429_and_a_401_on_the_wire_are_no_lost_answers(world: World) -> None:
    member, connector = a_member(world), world.connector()
    world.sandbox.faults.add(REMOVE, 1, Fault(status=429, headers={"Retry-After": "7"}))
    with pytest.raises(base.Throttled) as caught:
        connector.withdraw(member)  # type: ignore[attr-defined]
    assert caught.value.retry_after == 7 and world.sandbox.done == []
    connector = world.connector()  # of a later run: this one makes no call before the seven seconds are over
    expired = {"error_summary": "expired_access_token/", "error": {".tag": "expired_access_token"}}
    world.sandbox.faults.add(REMOVE, 1, Fault(status=401, body=expired))
    assert connector.withdraw(member).state == "done"  # type: ignore[attr-defined]
    assert (world.calls(REMOVE), len(world.tokens.stale), len(world.sandbox.done)) == (3, 1, 1)


def test_what_is_sent_is_the_documented_body() -> None:
    complete = b'{".tag": "complete"}'
    with serving_with(says(HEAD + b"Content-Length: %d\r\n\r\n" % len(complete) + complete)) as server:
        connect(f"http://127.0.0.1:{server.port}").withdraw(
            "dbmid:x", wipe=True, destination="dbmid:y", transfer_admin="dbmid:z"
        )
    head, _, body = server.heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /2/team/members/remove HTTP/1.1") and b"Authorization: Bearer token" in head
    selector = {name: {".tag": "team_member_id", "team_member_id": f"dbmid:{name}"} for name in "xyz"}
    assert json.loads(body) == {
        "user": selector["x"],
        "wipe_data": True,
        "keep_account": False,
        "transfer_dest_id": selector["y"],
        "transfer_admin_id": selector["z"],
    }

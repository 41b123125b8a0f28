"""What a call may claim about itself: whether its request can have arrived, how long it took, whom it trusted."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from profiles.connectors import base
from profiles.connectors.transport import Answer, Bounds, GaveUp, exchange_once, is_loopback

SECRET = "the-secret-of-the-app"
BOUNDS = Bounds(connect=0.4, read=0.4, total=0.5, max_bytes=1000)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def listening(behave: Callable[[socket.socket], None], scheme: str = "http") -> Iterator[str]:
    """A server that treats every connection as `behave` says; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/oauth2/token"
    finally:
        listener.close()


def post(url: str, bounds: Bounds = BOUNDS) -> Answer:
    return exchange_once(url, b"grant=1", {"Authorization": f"Basic {SECRET}"}, bounds)


def stall(connection: socket.socket) -> None:
    connection.recv(65536)
    time.sleep(1.5)


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)


def half(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def half_then_stall(connection: socket.socket) -> None:
    half(connection)
    time.sleep(1.5)


def endless_headers(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(40):
        connection.sendall(b"X-More: 1\r\n")
        time.sleep(0.05)


def no_http(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"220 mail.example ESMTP\r\n")


def packed(body: bytes, encoding: str = "gzip") -> Callable[[socket.socket], None]:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head.encode() + body)

    return behave


FITS = b"x" * 5000
ROOM = Bounds(connect=5, read=5, total=5, max_bytes=len(FITS))


@pytest.mark.parametrize(
    "behave",
    [
        packed(gzip.compress(b"x" * 5000)),
        packed(zlib.compress(b"x" * 5000), "deflate"),
        packed(b"x" * 5000, "identity"),
    ],
)
def test_an_answer_is_unpacked_to_the_last_byte_that_fits(behave: Callable[[socket.socket], None]) -> None:
    with listening(behave) as url:
        assert post(url, ROOM).body == FITS


def test_nothing_at_all_is_an_empty_answer_however_packed() -> None:
    with listening(packed(b"")) as url:
        assert post(url).body == b""


def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up() -> None:
    with listening(packed(gzip.compress(b"x" * 5001))) as url, pytest.raises(GaveUp, match="larger than 5,000 bytes"):
        post(url, ROOM)


@pytest.mark.parametrize("body", [gzip.compress(b"x" * 5000)[:-9], b"not packed at all"])
def test_what_cannot_be_unpacked_to_its_end_is_a_lost_answer(body: bytes) -> None:
    with listening(packed(body)) as url, pytest.raises(base.AnswerLost):
        post(url, ROOM)


@pytest.mark.parametrize("behave", [stall, hang_up, half, half_then_stall, endless_headers, no_http])
def test_a_request_that_may_have_arrived_is_never_called_unsent(behave: Callable[[socket.socket], None]) -> None:
    began = time.monotonic()
    with listening(behave) as url, pytest.raises(base.AnswerLost) as caught:
        post(url)
    assert time.monotonic() - began < 0.9
    assert caught.value.failure.endpoint == "/oauth2/token"
    assert SECRET not in str(caught.value)


def test_too_slow_is_told_from_merely_lost() -> None:
    with listening(endless_headers) as url, pytest.raises(GaveUp, match="within 0.5 seconds"):
        post(url)


def test_nobody_listening_means_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(base.TryLater) as caught:
        post(f"http://127.0.0.1:{port}/oauth2/token")
    assert type(caught.value) is base.TryLater


def test_a_server_without_tls_is_not_told_the_secret() -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(OK)

    with listening(listen, "https") as url, pytest.raises(base.TryLater) as caught:
        post(url)
    assert type(caught.value) is base.TryLater
    assert SECRET.encode() not in b"".join(heard)


def test_a_certificate_nobody_vouches_for_is_not_told_the_secret(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "own.pem"))
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            heard.append(secured.recv(65536))
            secured.sendall(OK)

    with listening(listen, "https") as url, pytest.raises(base.TryLater) as caught:
        post(url)
    assert type(caught.value) is base.TryLater
    assert b"".join(heard) == b""


def test_a_tls_handshake_that_stalls_is_left_at_the_deadline() -> None:
    began = time.monotonic()
    with listening(stall, "https") as url, pytest.raises(base.TryLater):
        post(url)
    assert time.monotonic() - began < 0.9


def self_signed(path: Path) -> Path:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")]),
    )
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def answering(heard: list[bytes]) -> Callable[[socket.socket], None]:
    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(OK)

    return listen


def test_a_netrc_file_does_not_take_the_place_of_our_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heard: list[bytes] = []
    with listening(answering(heard)) as url:
        assert post(url).body == b"{}"
    assert f"Authorization: Basic {SECRET}".encode() in heard[0]


def test_a_proxy_of_the_environment_does_not_see_calls_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    proxied: list[bytes] = []
    direct: list[bytes] = []
    with listening(answering(proxied)) as proxy, listening(answering(direct)) as url:
        monkeypatch.setenv("http_proxy", proxy.rpartition("/oauth2")[0])
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert post(url).status == 200
    assert (len(direct), proxied) == (1, [])


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8765/2/x", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:80/", True),
        ("http://localhost.example/", False),
        ("http://127.0.0.1@stranger.example/", False),
        ("http://0.0.0.0/", False),
        ("http://10.0.0.1/", False),
        ("http:///nowhere", False),
    ],
)
def test_this_machine_is_recognized_by_its_address_alone(url: str, here: bool) -> None:
    assert is_loopback(url) is here

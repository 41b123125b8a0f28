"""The body of one request is never answered as a second request, however its length is written."""

from __future__ import annotations

import contextlib
import select

import pytest

from tests.samsaas.web_server.conftest import Running
from tests.samsaas.web_server.slow_clients import FORM, connect

pytestmark = pytest.mark.own_database
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"
LENGTH = str(len(HIDDEN)).encode()
ZEROS = LENGTH.rjust(16, b"0")

REFUSED = {
    "sixteen digits": b"Content-Length: " + ZEROS,
    "a thousand zeros": b"Content-Length: " + LENGTH.rjust(1000, b"0"),
    "more than fits": b"Content-Length: " + b"9" * 4000,
    "more than Python reads": b"Content-Length: " + b"9" * 5000,
    "twice the same": b"Content-Length: " + LENGTH + b"\r\nContent-Length: " + LENGTH,
    "twice, the second padded": b"Content-Length: " + LENGTH + b"\r\nContent-Length: " + ZEROS,
    "twice, the first none": b"Content-Length: 0\r\nContent-Length: " + ZEROS,
    "twice, the second none": b"Content-Length: " + ZEROS + b"\r\nContent-Length: 0",
    "a list": b"Content-Length: " + LENGTH + b", " + LENGTH,
    "a sign": b"Content-Length: +" + LENGTH,
    "a negative one": b"Content-Length: -" + LENGTH,
    "hexadecimal": b"Content-Length: 0x2b",
    "an underscore": b"Content-Length: 4_3",
    "a fraction": b"Content-Length: " + LENGTH + b".0",
    "superscripts": b"Content-Length: \xb2",
    "nothing": b"Content-Length: ",
    "a blank before the colon": b"Content-Length : " + LENGTH,
    "a vertical tab": b"Content-Length: \x0b" + LENGTH,
    "a NUL": b"Content-Length: " + LENGTH + b"\x00",
    "on the next line": b"Content-Length:\r\n " + LENGTH,
    "behind a line feed": b"X-A: 1\nContent-Length: " + ZEROS,
    "behind a carriage return": b"X-A: 1\rContent-Length: " + ZEROS,
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: " + ZEROS,
    "chunks written twice": b"Transfer-Encoding: chunked, chunked",
    "chunks behind a tab": b"Transfer-Encoding: \x0bchunked",
}
READ = {
    "as it should be": b"Content-Length: " + LENGTH,
    "some zeros": b"Content-Length: 0000" + LENGTH,
    "blanks around": b"Content-Length: \t" + LENGTH + b" \t",
    "other capitals": b"cONTENT-lENGTH:" + LENGTH,
}


def send(server: Running, header: bytes) -> bytes:
    """All that comes back until the server closes. The body follows the head late, as an attacker would send it."""
    received = b""
    with contextlib.closing(connect(server.port)) as sock:
        sock.settimeout(10)
        sock.sendall(FORM + header + b"\r\n\r\n")
        select.select([sock], [], [], 0.3)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            sock.sendall(HIDDEN)
            while data := sock.recv(65536):
                received += data
    return received


@pytest.mark.parametrize("kind", REFUSED)
def test_a_length_that_two_could_read_differently_is_refused(server: Running, kind: str) -> None:
    received = send(server, REFUSED[kind])
    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")) and received.count(b"HTTP/1.1 ") == 1, received
    assert b"Connection: close" in received and b"Cache-Control: no-store" in received


@pytest.mark.parametrize("kind", READ)
def test_a_length_that_all_read_alike_is_the_length_of_the_body(server: Running, kind: str) -> None:
    received = send(server, READ[kind] + b"\r\nConnection: close")
    assert received.startswith(b"HTTP/1.1 403 ") and received.count(b"HTTP/1.1 ") == 1, "the page, without a token"

"""Clients that begin a request and never end it, each kind in its own way."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

STATIC = "/static/vendor/bootstrap-5.3.9/bootstrap.min.css"
FORM = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: application/x-www-form-urlencoded\r\n"
FILE = b"Host: localhost:8000\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 30000000\r\n"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


class SlowClient(NamedTuple):
    """What it sends at once, what it adds twice a second, and whether it ever reads."""

    first: bytes
    drop: bytes = b""


HEAD = b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost:8000\r\n"
KINDS = {
    "connects and says nothing": SlowClient(b""),
    "sends half a line": SlowClient(b"GET /acc"),
    "drips a line": SlowClient(b"GET /", b"a"),
    "drips headers": SlowClient(HEAD, b"X-More: 1\r\n"),
    "never ends the head": SlowClient(HEAD + b"X-More: 1\r\n"),
    "ends lines without a return": SlowClient(HEAD.replace(b"\r\n", b"\n") + b"\n"),
    "sends empty lines": SlowClient(b"\r\n\r\n", b"\r\n"),
    "sends half a form": SlowClient(FORM + b"Content-Length: 1000\r\n\r\nusername=a"),
    "drips a form": SlowClient(FORM + b"Content-Length: 1000\r\n\r\nusername=", b"a"),
    "waits to continue": SlowClient(FORM + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"),
    "promises a huge form": SlowClient(FORM + b"Content-Length: 30000000\r\n\r\nusername=", b"a"),
    "drips a file to no page": SlowClient(b"POST /nowhere HTTP/1.1\r\n" + FILE + b"\r\n" + PART, b"a"),
    "drips a file as a stranger": SlowClient(b"POST /people/import/ HTTP/1.1\r\n" + FILE + b"\r\n" + PART, b"a"),
    "drips chunks": SlowClient(FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nusern\r\n", b"1\r\na\r\n"),
    "drips one chunk": SlowClient(FORM + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\nusern", b"a"),
    "begins a second request": SlowClient(HEAD + b"\r\n" + HEAD, b"X-More: 1\r\n"),
    "asks to close and stays": SlowClient(HEAD + b"Connection: close\r\n\r\n"),
    "does not read the answer": SlowClient(f"GET {STATIC} HTTP/1.1\r\nHost: localhost:8000\r\n\r\n".encode()),
    "does not read ten answers": SlowClient(f"GET {STATIC} HTTP/1.1\r\nHost: localhost:8000\r\n\r\n".encode() * 10),
}


@contextlib.contextmanager
def crowd(port: int, client: SlowClient, count: int) -> Iterator[list[socket.socket]]:
    """So many of them at once, all adding their drop twice a second until the end of the block."""
    over = threading.Event()
    opened = [connect(port) for _ in range(count)]
    dripping = threading.Thread(target=_drip, args=(opened, client, over))
    dripping.start()
    try:
        yield opened
    finally:
        over.set()
        dripping.join()
        for sock in opened:
            sock.close()


def connect(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # whoever does not read takes as little as possible
    sock.settimeout(5)
    sock.connect(("127.0.0.1", port))
    return sock


def _drip(opened: list[socket.socket], client: SlowClient, over: threading.Event) -> None:
    data = client.first
    while True:
        for sock in opened:
            with contextlib.suppress(OSError):
                sock.sendall(data)
        data = client.drop
        if over.wait(0.5):
            return


def is_closed(sock: socket.socket) -> bool:
    """Whether the server has ended this connection."""
    sock.settimeout(0.05)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def seconds_to(ask: Callable[[], None]) -> float:
    began = time.monotonic()
    ask()
    return time.monotonic() - began

"""One client's connection: what of its request has arrived, and what of the answer has still to leave."""

from __future__ import annotations

import errno
import re
import select
import socket
import time
from typing import Any

from gunicorn import http
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import TConn

from samsaas.lib.body_limits import LARGEST_FORM

LARGEST_HEAD = 32 * 1024
PIECE = 64 * 1024
BUFFERED_ANSWER = 1024 * 1024
# Seconds that a thread waits for a peer in all, and how many bytes earn one more second.
GRACE, BYTES_PER_SECOND = 15.0, 64 * 1024

HEAD_END = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,15})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
TRANSFER_ENCODING = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)
EXPECTS_CONTINUE = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Patience:
    """How long a thread waits for one peer: `GRACE` seconds in all, and longer only while bytes move fast enough."""

    def __init__(self) -> None:
        self.waited, self.moved = 0.0, 0

    def wait(self, sock: socket.socket, event: int) -> None:
        """Wait for the socket. Raises `ConnectionResetError`, which gunicorn takes for a client that went away."""
        left = GRACE + self.moved / BYTES_PER_SECOND - self.waited
        began = time.monotonic()
        poll = select.poll()
        poll.register(sock, event)
        if left <= 0 or not poll.poll(left * 1000):
            raise ConnectionResetError(errno.ECONNRESET, "the peer is too slow")
        self.waited += time.monotonic() - began


class BufferedSocket:
    """A socket as gunicorn's threads use it: they write into memory, and read only what they were promised.

    The worker's loop sends what is pending. A thread waits only for the part of an answer above `BUFFERED_ANSWER`, and
    for a body above `LARGEST_FORM`; both end with their `Patience`.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.pending = bytearray()
        self.may_read = False
        self.reading, self.writing = Patience(), Patience()

    def fileno(self) -> int:
        return self.sock.fileno()

    def recv(self, size: int) -> bytes:
        """The next bytes of a large body. Any other request is here as a whole, so there is nothing more to read."""
        if not self.may_read:
            return b""
        self.flush()  # a client that sent `Expect: 100-continue` waits for what is pending
        while True:
            self.reading.wait(self.sock, select.POLLIN)
            try:
                data = self.sock.recv(size)
            except BlockingIOError:
                continue
            self.reading.moved += len(data)
            return data

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.pending += data
        while len(self.pending) > BUFFERED_ANSWER and not self.flush():
            self.writing.wait(self.sock, select.POLLOUT)

    def flush(self) -> bool:
        """Send what the client takes now. Returns whether everything is sent. Raises `OSError` if the client left."""
        while self.pending:
            try:
                sent = self.sock.send(memoryview(self.pending)[:PIECE].tobytes())
            except BlockingIOError:
                return False
            del self.pending[:sent]
            self.writing.moved += sent
        return True

    def shutdown(self, how: int) -> None:
        self.sock.shutdown(how)

    def close(self) -> None:
        self.sock.close()

    def gettimeout(self) -> float:
        return 0.0

    def settimeout(self, seconds: float | None) -> None:
        """Nothing: this socket is never blocking."""

    def setblocking(self, flag: bool) -> None:
        """Nothing: this socket is never blocking."""


class Connection(TConn):
    """A connection in one of three states: `receiving` a request, `sending` the rest of an answer, or `closing`."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = BufferedSocket(sock)
        self.parser = http.get_parser(cfg, self.sock, client)
        self.initialized = self.data_ready = True  # the base class has nothing left to wait for
        self.state, self.deadline = "receiving", 0.0
        self.keeps_alive = False
        self.expect_request(b"")

    def expect_request(self, begun: bytes) -> None:
        """Start with a new request, of which some bytes may have come behind the last one."""
        self.state, self.received = "receiving", bytearray(begun)
        self.body_at = self.length = -1
        self.has_rest = self.was_told_to_continue = False
        self.sock.reading, self.sock.writing, self.sock.may_read = Patience(), Patience(), False

    @property
    def is_idle(self) -> bool:
        return self.state == "receiving" and not self.received

    def receive(self) -> bool:
        """Take what has arrived. Returns whether the peer is still there."""
        try:
            data = self.sock.sock.recv(PIECE)
        except BlockingIOError:
            return True
        self.received += data
        return bool(data)

    def is_complete(self) -> bool:
        """Whether a thread can answer: the request is here, or the head of one whose body is large or has no length."""
        if self.body_at < 0:
            self._read_head()
        if self.body_at < 0:
            return False
        if self.has_rest or len(self.received) >= self.body_at + self.length:
            return True
        if EXPECTS_CONTINUE.search(self._head) and not self.was_told_to_continue:
            self.was_told_to_continue = True
            self.sock.sendall(CONTINUE)
            self.sock.flush()
        return False

    @property
    def is_head_too_large(self) -> bool:
        return self.body_at < 0 and len(self.received) > LARGEST_HEAD

    @property
    def _head(self) -> bytes:
        return bytes(self.received[: self.body_at])

    def _read_head(self) -> None:
        """Find where the head ends, and how long the body is. gunicorn's parser reads both again: `agrees_with`."""
        while self.received[:2] == b"\r\n":
            del self.received[:2]
        end = self.received.find(HEAD_END)
        if end < 0:
            return
        self.body_at = end + len(HEAD_END)
        lengths = {int(found) for found in CONTENT_LENGTH.findall(self._head)}
        self.length = lengths.pop() if len(lengths) == 1 else 0  # the parser refuses two
        self.has_rest = self.length > LARGEST_FORM or bool(TRANSFER_ENCODING.search(self._head))

    def agrees_with(self, request: Any) -> bool:
        """Whether gunicorn's parser found the same end of this request.

        Where the two differ, the rest of one request would be taken for the next one (request smuggling).
        """
        reader = request.body.reader
        return reader.length == self.length if isinstance(reader, LengthReader) else self.has_rest

    def give_to_parser(self) -> None:
        """Hand the bytes over to gunicorn's parser, and let it read the rest of a large body from the socket."""
        self.parser.unreader.unread(bytes(self.received))
        self.sock.may_read = self.has_rest and self.length > 0
        self.received.clear()

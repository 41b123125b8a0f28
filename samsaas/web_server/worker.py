"""gunicorn's threaded worker, with threads that never wait for a stranger.

gunicorn's own gthread worker reads requests and writes answers inside its threads, so as many half-sent requests as it
has threads stop every page. Here the worker's loop does that for all connections at once:

1. It receives each request, up to `LARGEST_FORM` of body, within `REQUEST_SECONDS` in all.
2. A thread answers a request that has arrived. Of a larger body it gets the head only, so that the application can
   refuse it unread; a body that it does read has to arrive at a minimum rate.
3. The loop sends the answer, and closes the connection or waits for its next request.

Past `MOST_WAITING` unfinished connections the oldest one gives way, so that nobody is kept out by a crowd of them.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn.http.errors import InvalidHeader
from gunicorn.workers.gthread import ThreadWorker

from samsaas.web_server.connection import BUFFERED_ANSWER, BYTES_PER_SECOND, PIECE, Connection

REQUEST_SECONDS = 20.0
ANSWER_SECONDS = 20.0 + BUFFERED_ANSWER / BYTES_PER_SECOND
CLOSING_SECONDS = 2.0
MOST_WAITING = 300
LIMITS = {
    "keepalive": 5,
    "limit_request_line": 8190,
    "limit_request_fields": 60,
    "limit_request_field_size": 8190,
    "worker_connections": MOST_WAITING + 100,
    "sendfile": False,  # it would write past the buffer
}
# For the answers that gunicorn gives by itself, before there is a request for Django.
HARDENED = (
    b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
    b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
)
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n" + HARDENED + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + HARDENED + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
)
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)
CALLED_OFF = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)


class PatientWorker(ThreadWorker):
    """The worker class of `gunicorn_conf.py`. `self.open` has the connections that the loop waits for, oldest first."""

    def __init__(self, age: int, ppid: int, sockets: Any, app: Any, timeout: float, cfg: Any, log: Any) -> None:
        for name, value in LIMITS.items():
            cfg.set(name, value)
        super().__init__(age, ppid, sockets, app, timeout, cfg, log)
        self.open: dict[Connection, None] = {}

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in OUT_OF_FILES:
                self._close_oldest()
            elif error.errno not in CALLED_OFF:
                raise
            return
        try:
            conn = Connection(self.cfg, sock, client, listener.getsockname())
        except OSError:  # it has gone already
            sock.close()
            return
        self.nr_conns += 1
        self._receive(conn, REQUEST_SECONDS)

    def _receive(self, conn: Connection, seconds: float) -> None:
        """Wait for a request; one that has arrived behind the last one is answered at once."""
        if conn.received:
            seconds = REQUEST_SECONDS
            if self._answer_if_complete(conn):
                return
        if len(self.open) >= MOST_WAITING:
            self._close_oldest()
        self._watch(conn, selectors.EVENT_READ, self._on_request, seconds)

    def _on_request(self, conn: Connection) -> None:
        was_idle = conn.is_idle
        if not conn.receive():
            self._close(conn)
        elif not self._answer_if_complete(conn) and was_idle:
            conn.deadline = time.monotonic() + REQUEST_SECONDS  # a connection that was kept alive had a shorter one

    def _answer_if_complete(self, conn: Connection) -> bool:
        if conn.is_complete():
            self._unwatch(conn)
            conn.give_to_parser()
            self.enqueue_req(conn)
            return True
        if conn.is_head_too_large:
            self._refuse(conn, HEAD_TOO_LARGE)
            return True
        return False

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Answer in a thread. Where a rest of the body is unread, nobody could tell where the next request begins.

        Raises `InvalidHeader`, which gunicorn answers with 400 before it closes the connection.
        """
        if not conn.agrees_with(req):
            raise InvalidHeader("CONTENT-LENGTH", req=req)
        if conn.has_rest:
            req.force_close()
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Gunicorn's own error page, with the headers that all our answers have."""
        begin = len(client.pending)
        super().handle_error(req, client, addr, exc)
        line_end = client.pending.find(b"\r\n", begin)
        if line_end >= 0:
            client.pending[line_end + 2 : line_end + 2] = HARDENED

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Called in the loop when a thread is done: send the answer, then go on with the connection."""
        try:
            conn.keeps_alive = bool(fs.result())
        except Exception:  # gunicorn has logged it; also where a stop has called the request off
            conn.keeps_alive = False
        self._send(conn, ANSWER_SECONDS)

    def _send(self, conn: Connection, seconds: float) -> None:
        conn.state = "sending"
        self._watch(conn, selectors.EVENT_WRITE, self._on_writable, seconds)
        self._call_back(conn, self._on_writable, None)

    def _on_writable(self, conn: Connection) -> None:
        if not conn.sock.flush():
            return
        self._unwatch(conn)
        if conn.keeps_alive and self.alive:
            conn.expect_request(conn.parser.unreader.take_buffered())
            self._receive(conn, self.cfg.keepalive)
        else:
            self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Read on for a moment after the answer. Closing at once could take it away from a client that still sends."""
        conn.state = "closing"
        conn.sock.shutdown(socket.SHUT_WR)
        self._watch(conn, selectors.EVENT_READ, self._on_leftover, CLOSING_SECONDS)

    def _on_leftover(self, conn: Connection) -> None:
        try:
            if not conn.sock.sock.recv(PIECE):
                self._close(conn)
        except BlockingIOError:
            return

    def _refuse(self, conn: Connection, answer: bytes) -> None:
        self._unwatch(conn)
        conn.keeps_alive = False
        conn.sock.sendall(answer)
        self._send(conn, CLOSING_SECONDS)

    def _watch(self, conn: Connection, event: int, callback: Any, seconds: float) -> None:
        conn.deadline = time.monotonic() + seconds
        self.open[conn] = None
        self.poller.register(conn.sock, event, partial(self._call_back, conn, callback))

    def _call_back(self, conn: Connection, callback: Any, sock: Any) -> None:
        """Run one step of one connection. An error of its socket ends that connection and nothing else."""
        if conn not in self.open:
            return  # closed by a step that came before it in the same turn of the loop
        try:
            callback(conn)
        except OSError:
            self._close(conn)

    def _unwatch(self, conn: Connection) -> None:
        if conn in self.open:
            del self.open[conn]
            self.poller.unregister(conn.sock)

    def _close(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.sock.close()

    def _close_oldest(self) -> None:
        oldest = next(iter(self.open), None)
        if oldest is not None:
            self._close(oldest)

    def murder_pending(self) -> None:
        """Close what is overdue; gunicorn calls it in every turn of its loop. A half-sent request is told so."""
        now = time.monotonic()
        for conn in list(self.open):
            if not self.alive and conn.state == "receiving":
                conn.deadline = min(conn.deadline, now + CLOSING_SECONDS)
            if conn.deadline > now or conn not in self.open:
                continue
            if conn.state == "receiving" and not conn.is_idle:
                self._call_back(conn, partial(self._refuse, answer=TOO_SLOW), None)
            else:
                self._close(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close all connections at the end of a stop. Otherwise `murder_pending` also closes those kept alive."""
        for conn in list(self.open) if force else ():
            self._close(conn)

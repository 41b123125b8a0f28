"""Two ways to reach the sandbox: over HTTP for people and browsers, through a `responses` mock for tests."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from profiles.connectors import deadline
from profiles.connectors.dropbox.sandbox.application import Sandbox
from profiles.connectors.dropbox.sandbox.messages import Request, Response

LARGEST_REQUEST = 1024 * 1024


class SandboxServer(ThreadingHTTPServer):
    """The sandbox on a port. `url` is its address; `start()` serves in a thread, `shutdown()` ends it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        self.sandbox = sandbox
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing where the client closed the connection, as browsers and connectors with a timeout do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def start(self) -> SandboxServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self


def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> SandboxServer:
    """A bound server, not yet serving: call `serve_forever()` to block, or `start()`."""
    return SandboxServer(sandbox, host, port)


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    timeout = 120
    disable_nagle_algorithm = True  # otherwise header and body are sent separately, which costs 40 ms per call
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer_request()

    def do_POST(self) -> None:
        self._answer_request()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: a query string may contain a code."""

    def _answer_request(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_REQUEST:
            self.send_error(413)
            self.close_connection = True
            return
        request = _parse_request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        response = self.server.sandbox.handle(request)
        with contextlib.suppress(ConnectionError):
            self._deliver_response(response)

    def _deliver_response(self, response: Response) -> None:
        delivery = response.delivery
        time.sleep(delivery.delay)
        if delivery.reset:
            # SO_LINGER of zero makes close() send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        head = self._format_head(response)
        body = response.body if delivery.truncate is None else response.body[: delivery.truncate]
        if delivery.truncate is not None:
            self.close_connection = True
        if delivery.drip:
            self._drip_bytes(head if delivery.drip_headers else b"", delivery.drip)
            self._send_bytes(b"" if delivery.drip_headers else head)
            self._drip_bytes(body, delivery.drip)
        else:
            self._send_bytes(head + body)

    def _format_head(self, response: Response) -> bytes:
        lines = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if "Content-Length" not in response.headers:
            lines.append(f"Content-Length: {len(response.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _drip_bytes(self, data: bytes, pause: float) -> None:
        for at in range(len(data)):
            self._send_bytes(data[at : at + 1])
            time.sleep(pause)

    def _send_bytes(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


class _Mock(Protocol):
    def add_callback(self, method: str, url: re.Pattern[str], callback: Any) -> Any: ...


def plug(sandbox: Sandbox, mock: _Mock, base_urls: Iterable[str]) -> None:
    """Let a `responses` mock answer everything below these addresses from the sandbox, without a socket."""

    def answer_call(prepared: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        body = prepared.body or b""
        sent = body.encode() if isinstance(body, str) else bytes(body)
        url = urlsplit(prepared.url or "")
        path = f"{url.path}?{url.query}" if url.query else url.path
        if watchdog := deadline.running_watchdog():
            watchdog.reached = True  # as a socket would have shown
        response = sandbox.handle(_parse_request(prepared.method or "", path, dict(prepared.headers), sent))
        if response.delivery.reset:
            raise requests.ConnectionError(ConnectionResetError("reset by the sandbox"))
        return response.status, response.headers, response.body[: response.delivery.truncate]

    for base_url in base_urls:
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(re.escape(base_url.rstrip("/")) + "/.*"), answer_call)


def _parse_request(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=path,
        query=dict(reversed(parse_qsl(query, keep_blank_values=True))),
        headers=CaseInsensitiveDict(headers),
        body=body,
    )

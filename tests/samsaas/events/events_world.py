"""What the tests of events share: a moment, a webhook, and a receiver that answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from samsaas.events import edit_webhooks
from samsaas.models import Notification, Webhook

MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
HOST = "127.0.0.1"


def event(kind: str = "run.failed", key: str = "1", **fields: Any) -> Notification:
    given = {"title": "Download subscriptions of Dropbox failed", "text": "What to do.", "path": "/runs/1/"}
    return Notification.objects.create(kind=kind, key=key, **{"at": MONDAY, **given, **fields})


def hook(by: Any, url: str, style: str = "signed", kinds: tuple[str, ...] = ("run.failed",)) -> tuple[Webhook, str]:
    data = {"name": f"{style} {url}"[:80], "style": style, "url": url, "kinds": list(kinds), "active": True}
    return edit_webhooks.create(data, by=by, now=MONDAY)


class Receiver:
    """A server on a free port. `status` is what it answers, `drips` writes its answer a byte every half second."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.drips, self.location = 200, False, ""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.got.append((dict(handler.headers), body))
        while self.drips:
            handler.wfile.write(b"x")
            time.sleep(0.2)
        handler.send_response(self.status)
        if self.location:
            handler.send_header("Location", self.location)
        handler.end_headers()
        handler.wfile.write(b"thank you <b>" + b"x" * 10_000)


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - its name
            try:
                made.answer(self)
            except OSError:
                made.drips = False

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.drips = False
        server.shutdown()
        server.server_close()
        thread.join()

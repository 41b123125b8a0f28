"""The demo's web server, with worker and beat beside it in the same process.

No other process uses the demo's database (`DemoFolder.hold_lock`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, urlsplit

from samsaas.embedded import WorkerAndBeat
from samsaas.web_server.application import load_application
from samsaas.web_server.embedded import EmbeddedServer

log = logging.getLogger(__name__)

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Embedded:
    """Starts web, worker and beat, waits for the signal to stop, and stops them in reverse order."""

    def __init__(self, host: str, port: int, public_url: str) -> None:
        self.web = EmbeddedServer(host, port, at_one_address(load_application(), public_url))

    def run(self, stopping: threading.Event, *, started: Callable[[], None]) -> None:
        """Serve until `stopping` is set or worker or beat end; `started` is called when the pages answer."""

        def stop_everything(name: str) -> None:
            log.error("The %s ended unexpectedly, so the demo stops. Run it again to continue.", name)
            stopping.set()

        with ExitStack() as stack:
            stack.callback(self.web.server_close)
            background = WorkerAndBeat(on_death=stop_everything)
            background.start()
            stack.callback(background.stop)
            serving = threading.Thread(target=self.web.serve_forever, daemon=True)
            serving.start()
            stack.callback(self.web.shutdown)
            started()
            stopping.wait()


def at_one_address(application: WSGIApplication, public_url: str) -> WSGIApplication:
    """Redirect visitors of another host name, such as 127.0.0.1, to the public address.

    The vendor redirects the browser to the public address, and the session cookie is valid only there.
    """
    expected = urlsplit(public_url).netloc

    def lead_or_answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") == expected or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start_response)
        target = public_url + quote(environ.get("PATH_INFO", "/"), encoding="latin-1")
        if query := environ.get("QUERY_STRING", ""):
            target += f"?{query}"
        start_response("302 Found", [("Location", target), ("Content-Length", "0")])
        return []

    return lead_or_answer

"""Web, worker and beat in one process, without any service: the embedded mode behind `manage.py demo`.

The same tasks, runs and pages as with Redis and separate workers. The broker is in memory; what it loses when the
process ends, the database still knows, because this process is alone with its database (`demo_home.Home.alone`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote, urlsplit

from celery.beat import EmbeddedService
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas.celery import app

STOP_SECONDS = 5.0
WORKERS = 4
log = logging.getLogger(__name__)

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class QuietHandler(WSGIRequestHandler):
    """No access log: the query of the OAuth callback carries a code."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Embedded:
    """Starts everything, waits for the word to stop, and stops everything in the reverse order."""

    def __init__(self, host: str, port: int, public_url: str) -> None:
        self.web = ThreadedWSGIServer((host, port), QuietHandler, allow_reuse_address=True)
        self.web.daemon_threads = True
        self.web.set_app(at_one_address(WSGIHandler(), public_url))

    def run(self, stopping: threading.Event, *, started: Callable[[], None]) -> None:
        """Serve until `stopping` is set; `started` is called when the pages answer."""
        with ExitStack() as stack:
            stack.callback(self.web.server_close)
            self._start_worker(stack)
            self._start_beat(stack)
            serving = threading.Thread(target=self.web.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
            serving.start()
            stack.callback(self.web.shutdown)
            started()
            stopping.wait()

    def _start_worker(self, stack: ExitStack) -> None:
        worker = app.WorkController(pool_cls="threads", concurrency=WORKERS, hostname="embedded@localhost", quiet=True)
        threading.Thread(target=worker.start, name="worker", daemon=True).start()
        stack.callback(_within, STOP_SECONDS, "worker", lambda: _stop_worker(worker))

    def _start_beat(self, stack: ExitStack) -> None:
        beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
        beat.start()
        stack.callback(_within, STOP_SECONDS, "beat", beat.stop)


def at_one_address(application: WSGIApplication, public_url: str) -> WSGIApplication:
    """Lead visitors of 127.0.0.1 to the public address: the vendor sends the browser back there, and only there is
    the session they signed in with."""
    expected = urlsplit(public_url).netloc

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_HOST") == expected or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start_response)
        target = public_url + quote(environ.get("PATH_INFO", "/"), encoding="latin-1")
        if query := environ.get("QUERY_STRING", ""):
            target += f"?{query}"
        start_response("302 Found", [("Location", target), ("Content-Length", "0")])
        return []

    return answer


def resume_interrupted() -> int:
    """Put every run that an earlier process left running back into the queue at once; returns how many.

    Elsewhere the sweeper waits for a minute of silence, as the worker may only be slow. Here nobody else can hold a
    run, so their heartbeats are made old and the same sweep decides: attempts count, and a run that took its worker
    down three times is given up.
    """
    left = JobRun.objects.filter(state=JobRun.State.RUNNING)
    count = left.update(heartbeat_at=Now() - 2 * queue.lease_time())
    queue.sweep()
    return count


def interrupt_runs() -> int:
    """Take the runs from their threads: each stops at its next page, and the next start resumes it from its cursor.

    A new generation makes the thread's next write fail as a lost lease. Stopping is no fault of the run, so the
    attempt is not counted.
    """
    held = JobRun.objects.filter(state=JobRun.State.RUNNING)
    return held.update(
        generation=F("generation") + 1,
        owner="",
        attempts=F("attempts") - 1,
        heartbeat_at=Now() - 2 * queue.lease_time(),
    )


def leave(code: int) -> None:
    """End the process even while a thread still waits for the vendor: its run is resumed at the next start."""
    sys.stdout.flush()
    logging.shutdown()
    os._exit(code)


def _stop_worker(worker: Any) -> None:
    worker.stop(in_sighandler=True)  # take nothing new, wait for nobody
    interrupted = interrupt_runs()
    connection.close()
    if interrupted:
        log.info("%s run(s) interrupted; they are resumed at the next start.", interrupted)
    worker.pool.executor.shutdown(wait=True, cancel_futures=True)


def _within(seconds: float, name: str, stop: Callable[[], object]) -> None:
    thread = threading.Thread(target=stop, name=f"stop-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.info("The %s did not stop within %s seconds; it is left behind.", name, seconds)

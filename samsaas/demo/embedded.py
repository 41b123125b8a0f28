"""Web, worker and beat in one process, without any service: the embedded mode behind `manage.py demo`.

The tasks, runs and pages are the same as with Redis and separate workers. The broker is in memory. What it loses when
the process ends is still in the database, and no other process uses that database (`DemoFolder.hold_lock`).
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
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas.celery import app
from samsaas.web_server.embedded import EmbeddedServer
from samsaas.wsgi import application

STOP_SECONDS = 5.0
WORKERS = 4
log = logging.getLogger(__name__)

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Embedded:
    """Starts web, worker and beat, waits for the signal to stop, and stops them in reverse order."""

    def __init__(self, host: str, port: int, public_url: str) -> None:
        self.web = EmbeddedServer(host, port, at_one_address(application, public_url))

    def run(self, stopping: threading.Event, *, started: Callable[[], None]) -> None:
        """Serve until `stopping` is set; `started` is called when the pages answer."""
        with ExitStack() as stack:
            stack.callback(self.web.server_close)
            self._start_worker(stack)
            self._start_beat(stack)
            serving = threading.Thread(target=self.web.serve_forever, daemon=True)
            serving.start()
            stack.callback(self.web.shutdown)
            started()
            stopping.wait()

    def _start_worker(self, stack: ExitStack) -> None:
        worker = app.WorkController(pool_cls="threads", concurrency=WORKERS, hostname="embedded@localhost", quiet=True)
        threading.Thread(target=worker.start, name="worker", daemon=True).start()
        stack.callback(_stop_within, STOP_SECONDS, "worker", lambda: _stop_worker(worker))

    def _start_beat(self, stack: ExitStack) -> None:
        beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
        beat.start()
        stack.callback(_stop_within, STOP_SECONDS, "beat", beat.stop)


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


def resume_interrupted() -> int:
    """Queue every run again that an earlier process left in the state running. Returns how many.

    With separate workers the sweeper waits a minute, because a silent worker may only be slow. Here no other worker
    exists, so this sets the heartbeats back and calls the same sweep. The attempt counts as usual: a run whose worker
    died three times fails.
    """
    left = JobRun.objects.filter(state=JobRun.State.RUNNING)
    count = left.update(heartbeat_at=Now() - 2 * queue.lease_time())
    queue.sweep()
    return count


def interrupt_runs() -> int:
    """Take the running runs from their threads. Returns how many. The next start resumes them at their cursor.

    The new generation makes the thread's next write fail with a lost lease. The run did nothing wrong, so the attempt
    does not count.
    """
    held = JobRun.objects.filter(state=JobRun.State.RUNNING)
    return held.update(
        generation=F("generation") + 1,
        owner="",
        attempts=F("attempts") - 1,
        heartbeat_at=Now() - 2 * queue.lease_time(),
    )


def exit_process(code: int) -> None:
    """End the process, even if a thread still waits for the vendor. The next start resumes its run."""
    sys.stdout.flush()
    logging.shutdown()
    os._exit(code)


def _stop_worker(worker: Any) -> None:
    worker.stop(in_sighandler=True)  # takes no new task and does not wait for the running ones
    interrupted = interrupt_runs()
    connection.close()
    if interrupted:
        log.info("%s run(s) interrupted; they are resumed at the next start.", interrupted)
    worker.pool.executor.shutdown(wait=True, cancel_futures=True)


def _stop_within(seconds: float, name: str, stop: Callable[[], object]) -> None:
    thread = threading.Thread(target=stop, name=f"stop-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.info("The %s did not stop within %s seconds; continuing without it.", name, seconds)

"""Worker and beat as threads of the process that serves the pages: `manage.py serve` and `manage.py demo`.

The tasks, runs and pages are the same as with Redis and separate workers. The broker is in memory. What it loses when
the process ends is still in the database.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from celery.beat import EmbeddedService
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from profiles.jobs import execute, queue
from profiles.models import JobRun
from samsaas.celery import app

STOP_SECONDS = 5.0
WORKERS = 4
log = logging.getLogger(__name__)


class WorkerAndBeat:
    """Both threads. `on_death` is called with the name of one that ends although nobody stopped it."""

    def __init__(self, on_death: Callable[[str], None]) -> None:
        self._on_death, self._stopping = on_death, threading.Event()
        self._worker = app.WorkController(
            pool_cls="threads", concurrency=WORKERS, hostname="embedded@localhost", quiet=True
        )
        self._beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)
        self._threads = {
            "worker": threading.Thread(target=self._worker.start, name="worker", daemon=True),
            "beat": self._beat,
        }

    def start(self) -> None:
        for thread in self._threads.values():
            thread.start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Stop both; their runs are resumed at the next start. A thread that does not stop in time is left behind."""
        self._stopping.set()
        _stop_within(STOP_SECONDS, "beat", self._beat.stop)
        _stop_within(STOP_SECONDS, "worker", self._stop_worker)

    def _stop_worker(self) -> None:
        self._worker.stop(in_sighandler=True)  # takes no new task and does not wait for the running ones
        interrupted = interrupt_runs()
        connection.close()
        if interrupted:
            log.info("%s run(s) interrupted; they are resumed at the next start.", interrupted)
        self._worker.pool.executor.shutdown(wait=True, cancel_futures=True)

    def _watch(self) -> None:
        while not self._stopping.wait(1):
            for name, thread in self._threads.items():
                if not thread.is_alive() and not self._stopping.is_set():
                    self._on_death(name)
                    return


def resume_interrupted() -> int:
    """Queue every run again that an earlier process left in the state running. Returns how many.

    With separate workers the sweeper waits a minute, because a silent worker may only be slow. Call this only where no
    other worker can exist: it sets the heartbeats back and calls the same sweep. The attempt counts as usual: a run
    whose worker died three times fails.
    """
    left = JobRun.objects.filter(state=JobRun.State.RUNNING)
    count = left.update(heartbeat_at=Now() - 2 * queue.lease_time())
    queue.sweep()
    return count


def interrupt_runs() -> int:
    """Take this process's runs from their threads. Returns how many. The next start resumes them at their cursor.

    The new generation makes the thread's next write fail with a lost lease. The run did nothing wrong, so the attempt
    does not count.
    """
    held = JobRun.objects.filter(state=JobRun.State.RUNNING, owner__in=execute.owners_at_work())
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


def _stop_within(seconds: float, name: str, stop: Callable[[], Any]) -> None:
    thread = threading.Thread(target=stop, name=f"stop-{name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.info("The %s did not stop within %s seconds; continuing without it.", name, seconds)

"""What worker and beat do besides tasks: they refuse a configuration that cannot work, and report that they run.

They write a `Heartbeat` of their own into the database, so that `/readyz` and the doctor can say which of them is
missing. Celery imports this module because CELERY_IMPORTS names it, in separate processes and in the embedded ones.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import bootsteps, signals
from django.db import Error, connection

from samsaas import startup
from samsaas.celery import app
from samsaas.models import Heartbeat

EVERY_SECONDS = 15.0
log = logging.getLogger(__name__)


class Reporter:
    """A thread that reports a process again and again, also after the database was away."""

    def __init__(self, name: str) -> None:
        self._name, self._over = name, threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._report, name=f"report-{self._name}", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _report(self) -> None:
        while not self._over.is_set():
            try:
                Heartbeat.record(self._name)
            except Error as error:
                log.warning("The %s could not report to the database (%s).", self._name, type(error).__name__)
            connection.close()
            self._over.wait(EVERY_SECONDS)


class ReportWorker(bootsteps.StartStopStep):
    """Begins once the pool has forked, so that no child inherits the thread, and before there is a broker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        self._reporter = Reporter(Heartbeat.WORKER)

    def start(self, worker: Any) -> None:
        self._reporter.start()

    def stop(self, worker: Any) -> None:
        self._reporter.stop()

    terminate = stop


app.steps["worker"].add(ReportWorker)


@signals.celeryd_init.connect
def check_worker(**kwargs: Any) -> None:
    """Sent by `celery worker` only, not by an embedded worker."""
    startup.refuse_unless_usable(startup.WORKER)


@signals.beat_init.connect
def report_beat(**kwargs: Any) -> None:
    """An embedded beat, which is a thread, was checked by the process around it."""
    if threading.current_thread() is threading.main_thread():
        startup.refuse_unless_usable(startup.BEAT)
    Reporter(Heartbeat.BEAT).start()

"""gunicorn with one process that serves the pages and runs worker and beat beside them: `manage.py serve`.

1. gunicorn's parent process starts the serving process again if it dies, and ends if it cannot be started.
2. The serving process starts worker and beat as threads. If one of them ends, it stops and gunicorn starts another one.
3. At a signal to stop, the pages finish their requests, and running jobs are put back; the next start resumes them.

`gunicorn_conf.py` configures the web server as everywhere; only what this mode needs is set here.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection
from gunicorn.app.base import Application

from samsaas import embedded
from samsaas.web_server.application import load_application

CONFIGURATION = Path(__file__).with_name("gunicorn_conf.py")
log = logging.getLogger(__name__)


class AlreadyServed(Exception):
    """Another process serves this database."""


class OneProcess(Application):
    """Reads no command line: the options are those of manage.py."""

    def load_config(self) -> None:
        self.load_config_from_file(str(CONFIGURATION))
        needed = {
            "workers": 1,
            "max_requests": 0,  # a restart would interrupt the runs
            "on_starting": lambda server: None,  # checked by the command, by the rules of this mode
            "preload_app": False,  # threads do not survive a fork
            "post_worker_init": start_background,
            "worker_exit": stop_background,
        }
        for name, value in needed.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return load_application()


def start_background(worker: Any) -> None:
    """In the serving process, before its first request."""
    if connection.vendor == "sqlite" and (resumed := embedded.resume_interrupted()):
        log.info("%s interrupted job run(s) are resumed.", resumed)
    connection.close()
    worker.background = embedded.WorkerAndBeat(on_death=_end_process)
    worker.background.start()


def _end_process(name: str) -> None:
    log.critical("The %s ended unexpectedly; this process stops, and another one is started.", name)
    os.kill(os.getpid(), signal.SIGTERM)


def stop_background(server: Any, worker: Any) -> None:
    """In the serving process, after its last request. Without worker and beat it could not be started at all."""
    if background := getattr(worker, "background", None):
        background.stop()
        embedded.exit_process(0)


@contextmanager
def hold_database() -> Iterator[None]:
    """Keep a second one from the same SQLite file: both would take over the other's runs. Raises `AlreadyServed`.

    On PostgreSQL there may be any number of workers, because each waits for the leases of the others.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with Path(f"{connection.settings_dict['NAME']}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyServed from error
        yield

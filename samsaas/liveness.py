"""The Celery application of an installation: its worker and beat are watched, and show that they work.

Start them with `celery -A samsaas.liveness`. A guard starts them again if they end without being asked. The worker
touches `ALIVE_FILE` when it sends a heartbeat to the broker, the beat when it sends a task. `healthcheck.py` checks the
file's age, so a health check loads no Django, and a container with a read-only root needs only a small tmpfs.
"""

import os
import sys
from pathlib import Path
from typing import Any

from celery import signals

from samsaas import guard, startup
from samsaas.celery import app

__all__ = ["app"]

ALIVE_FILE = os.environ.get("ALIVE_FILE", "")


def touch_alive_file(**kwargs: Any) -> None:
    Path(ALIVE_FILE).touch()


if guard.is_wanted(sys.argv):
    guard.stand_guard()
    startup.require_readable_settings("process")

if ALIVE_FILE:
    signals.heartbeat_sent.connect(touch_alive_file, weak=False)
    signals.after_task_publish.connect(touch_alive_file, weak=False)

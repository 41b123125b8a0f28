"""The Celery application for containers: worker and beat show that they live by touching a file.

Start them with `celery -A samsaas.liveness`. The worker touches `ALIVE_FILE` with each heartbeat it sends to the
broker, the beat with each task it has sent; `healthcheck.py` looks at the file's age. Nothing is loaded to answer a
health check, and a root that is read-only needs one small tmpfs.
"""

import os
from pathlib import Path
from typing import Any

from celery import signals

from samsaas.celery import app

__all__ = ["app"]

ALIVE_FILE = os.environ.get("ALIVE_FILE", "")


def show(**kwargs: Any) -> None:
    Path(ALIVE_FILE).touch()


if ALIVE_FILE:
    signals.heartbeat_sent.connect(show, weak=False)
    signals.after_task_publish.connect(show, weak=False)

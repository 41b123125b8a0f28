"""Probes for monitoring: the process is alive, and it is ready to serve."""

from __future__ import annotations

import threading
import time

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from samsaas.celery import app
from samsaas.models import Heartbeat

START = "Start it, or read its log; manage.py doctor says more."
BROKER_REMEDY = "This web process cannot reach the broker: start it, or correct CELERY_BROKER_URL."


def alive(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """The database answers and has every migration: without it no page works.

    What else is missing, broker, worker or beat, is named with what to do. It does not make the answer 503, because
    the pages work without it.
    """
    try:
        if pending := pending_migrations():
            return JsonResponse({"status": "unavailable", "migrations": pending}, status=503)
        missing = find_missing()
    except Error:
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok", "missing": missing} if missing else {"status": "ok"})


def pending_migrations() -> int:
    """The number of migrations that are not applied. Raises `django.db.Error` if the database does not answer."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def find_missing() -> dict[str, str]:
    """What does not run, and what to do. Raises `django.db.Error`."""
    silences = Heartbeat.silences()
    missing = {} if broker.answers() else {"broker": BROKER_REMEDY}
    for name in (Heartbeat.WORKER, Heartbeat.BEAT):
        if name not in silences:
            missing[name] = f"It has never run here. {START}"
        elif silences[name] > Heartbeat.MOST_SILENCE:
            missing[name] = f"Silent for {silences[name].total_seconds():.0f} s. {START}"
    return missing


class BrokerProbe:
    """Whether this process reaches the broker. It asks in a thread, so that a silent broker delays no answer."""

    FRESH_SECONDS = 5.0
    LIMITS = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0, "connect_retries_timeout": 1}

    def __init__(self) -> None:
        self._answers, self._asked = True, 0.0
        self._asking = threading.Lock()

    def answers(self) -> bool:
        """What was found a few seconds ago; true until the first answer is there."""
        if time.monotonic() > self._asked + self.FRESH_SECONDS and self._asking.acquire(blocking=False):
            threading.Thread(target=self._ask, name="broker-probe", daemon=True).start()
        return self._answers

    def _ask(self) -> None:
        try:
            with app.connection_for_write() as link:
                link.transport_options = {**link.transport_options, **self.LIMITS}
                link.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=1)
            self._answers = True
        except Exception:  # each transport has its own exceptions
            self._answers = False
        finally:
            self._asked = time.monotonic()
            self._asking.release()


broker = BrokerProbe()

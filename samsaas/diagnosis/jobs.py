"""Checks of broker, worker and beat, and of the runs they should have started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas import checks
from samsaas.celery import app
from samsaas.diagnosis.findings import Check, Finding, error_line, fail, ok, warn
from samsaas.models import Heartbeat

BROKER_SECONDS = 2
BEAT_SILENT = timedelta(minutes=2)
WAITING_TOO_LONG = timedelta(minutes=5)
# The beat sends seven messages a minute, so this many wait when no worker took one for four minutes.
TOO_MANY_WAIT = 30
BROKER_FORM = "Set it to redis://:password@host:6379/0, special characters of the password percent-encoded."


def broker() -> Iterator[Finding]:
    """The broker answers. A broker that is down loses no run: the runs wait in the database and are sent again."""
    if settings.CELERY_BROKER_URL.startswith("memory:"):
        yield _judge_memory_broker()
        return
    if (scheme := urlsplit(settings.CELERY_BROKER_URL).scheme) not in TRANSPORT_ALIASES:
        yield fail("broker", f"CELERY_BROKER_URL starts with {scheme}://, which is no broker.", BROKER_FORM)
        return
    with app.connection_for_write(url=settings.CELERY_BROKER_URL, connect_timeout=BROKER_SECONDS) as link:
        place = link.as_uri()
        limits = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
        link.transport_options = {**link.transport_options, **limits}
        try:
            link.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_SECONDS)
            waiting = _count_waiting(link.default_channel)
        except Exception as error:  # each transport has its own exceptions
            remedy = "Start the broker, or correct CELERY_BROKER_URL. Until then no job starts; the pages keep working."
            yield fail("broker", f"{place} does not answer ({error_line(error)}).", remedy)
            return
    if waiting > TOO_MANY_WAIT:
        yield fail(
            "broker", f"{place} answers, but {waiting} messages wait in it.", "Start a worker: no worker takes them."
        )
    else:
        yield ok("broker", f"{place} answers; {waiting} messages wait in it.")


def _judge_memory_broker() -> Finding:
    if checks.is_local(settings.PUBLIC_URL):
        return ok("broker", "Embedded (memory://): web, worker and beat share one process.")
    remedy = "Set CELERY_BROKER_URL to a Redis server and start a worker and a beat."
    return warn("broker", "memory:// reaches no other process; it serves the demo only.", remedy)


def _count_waiting(channel: Any) -> int:
    """The number of messages that no worker took yet. Redis has no queue without messages, hence the 0."""
    try:
        return int(channel.queue_declare(queue=app.conf.task_default_queue, passive=True).message_count)
    except ChannelError:
        return 0


def beat_and_worker() -> Iterator[Finding]:
    """Beat and worker ran lately. The beat sends the sweep and a worker runs it, so one heartbeat shows both."""
    seen = Heartbeat.objects.filter(name="beat").annotate(now=Now()).first()
    remedy = (
        "Read the logs of both. If messages wait in the broker, no worker runs; otherwise no beat runs. "
        "Run exactly one beat and at least one worker."
    )
    if seen is None:
        yield warn("beat and worker", "They have never run here.", remedy)
    elif (silent := seen.now - seen.at) > BEAT_SILENT:
        yield fail("beat and worker", f"Silent since {seen.at:%Y-%m-%d %H:%M} UTC.", remedy)
    else:
        yield ok("beat and worker", f"Last seen {max(silent.total_seconds(), 0):.0f} s ago.")


def stuck_runs() -> Iterator[Finding]:
    """No run waits longer than a working worker and beat would let it."""
    silent = JobRun.objects.filter(state=JobRun.State.RUNNING, heartbeat_at__lt=Now() - 3 * queue.lease_time()).count()
    late = Now() - WAITING_TOO_LONG
    due = Q(not_before=None, created_at__lt=late) | Q(not_before__lt=late)
    waiting = JobRun.objects.startable().filter(due, state=JobRun.State.QUEUED).count()
    if silent:
        remedy = "Start beat and worker. The sweep then queues these runs again."
        yield fail("job runs", f"{silent} running without a heartbeat.", remedy)
    if waiting:
        yield fail(
            "job runs", f"{waiting} due, and no worker takes them.", "Start a worker, or give it more concurrency."
        )
    if not (silent or waiting):
        yield ok("job runs", "None is stuck.")


CHECKS: tuple[Check, ...] = (beat_and_worker, stuck_runs)

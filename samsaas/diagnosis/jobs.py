"""Checks of broker, worker and beat, and of the runs they should have started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from kombu.exceptions import ChannelError

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas import checks, startup
from samsaas.celery import app
from samsaas.diagnosis.findings import Check, Finding, error_line, fail, ok, warn
from samsaas.models import Heartbeat

BROKER_SECONDS = 2
WAITING_TOO_LONG = timedelta(minutes=5)
# The beat sends nine messages a minute, so this many wait when no worker took one for more than three minutes.
TOO_MANY_WAIT = 30
TICKS_REMEDY = (
    "See whether the broker answers, whether both have the same CELERY_BROKER_URL, and whether long runs hold every "
    "slot of the workers (--concurrency)."
)


def broker() -> Iterator[Finding]:
    """The broker answers. A broker that is down loses no run: the runs wait in the database and are sent again."""
    if startup.uses_memory_broker():
        yield ok("broker", "None (memory://): manage.py serve needs none. Separate processes refuse to start with it.")
        return
    if problems := checks.broker_address(None):
        yield fail("broker", problems[0].msg, checks.BROKER_FORM)
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


def _count_waiting(channel: Any) -> int:
    """The number of messages that no worker took yet. Redis has no queue without messages, hence the 0."""
    try:
        return int(channel.queue_declare(queue=app.conf.task_default_queue, passive=True).message_count)
    except ChannelError:
        return 0


def processes() -> Iterator[Finding]:
    """Worker and beat report themselves to the database, so the one that is missing can be named."""
    silences = Heartbeat.silences()
    for name in (Heartbeat.WORKER, Heartbeat.BEAT):
        if (silent := silences.get(name)) is None:
            yield warn(name, "It has never run here.", _how_to_start(name))
        elif silent > Heartbeat.MOST_SILENCE:
            yield fail(name, f"Silent for {_in_words(silent)}.", _how_to_start(name))
        else:
            yield ok(name, f"Last seen {_in_words(silent)} ago.")
    yield from _judge_ticks(silences)


def _judge_ticks(silences: dict[str, timedelta]) -> Iterator[Finding]:
    """What the beat sends reaches a worker. Says nothing while one of the two is missing."""
    if any(silences.get(name, timedelta.max) > Heartbeat.MOST_SILENCE for name in (Heartbeat.WORKER, Heartbeat.BEAT)):
        return
    silent = silences.get(Heartbeat.SWEEP)
    if silent is not None and silent <= Heartbeat.MOST_SILENCE:
        yield ok("ticks", f"The worker last heard the beat {_in_words(silent)} ago.")
        return
    since = f"for {_in_words(silent)}" if silent is not None else "yet"
    yield fail("ticks", f"Worker and beat run, and the worker has not heard the beat {since}.", TICKS_REMEDY)


def _how_to_start(name: str) -> str:
    if startup.uses_memory_broker():
        return "Start manage.py serve, which runs web, worker and beat, or read its log."
    count = "exactly one beat" if name == Heartbeat.BEAT else "at least one worker"
    return f"Start it (celery -A samsaas.liveness {name}), or read its log. There has to be {count}."


def _in_words(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


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


CHECKS: tuple[Check, ...] = (processes, stuck_runs)

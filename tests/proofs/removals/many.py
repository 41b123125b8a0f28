"""Many stories, each in a transaction that is rolled back, on as many processes as are wanted."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.db.models.functions import Now
from django.test import override_settings

from profiles.connection import credentials
from profiles.connectors import base
from profiles.jobs import queue
from samsaas import outbox
from tests.proofs.removals.watch import Broken, Result

CHUNK = 10
MORNING = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)


class Time:
    """The time of a story, for Python and for the database. It stands still unless the story lets it pass by."""

    def __init__(self) -> None:
        self._travel = time_machine.travel(MORNING, tick=False)
        self._real = (Now.as_sqlite, Now.as_postgresql)

    def begin(self) -> None:
        self._traveler = self._travel.start()
        setattr(Now, "as_sqlite", self._say("'{:%Y-%m-%d %H:%M:%S.%f}'"))  # noqa: B010 - a method is replaced
        setattr(Now, "as_postgresql", self._say("TIMESTAMPTZ '{:%Y-%m-%d %H:%M:%S.%f}+00'"))  # noqa: B010

    def end(self) -> None:
        self._travel.stop()
        setattr(Now, "as_sqlite", self._real[0])  # noqa: B010
        setattr(Now, "as_postgresql", self._real[1])  # noqa: B010

    def pass_by(self, **time: float) -> None:
        self._traveler.shift(timedelta(**time))

    @staticmethod
    def _say(literal: str) -> Any:
        def as_sql(now: Now, compiler: Any, connection: Any, **context: Any) -> Any:
            return literal.format(datetime.now(UTC)), ()

        return as_sql


class Plugged:
    """Have every profile call the team of its story instead of a vendor, and mails go to the story's mail server."""

    def __init__(self) -> None:
        self.teams: dict[int, Any] = {}
        self.post: Any = None
        self._real = (credentials.open_connector, queue._send_task, outbox.Postman)
        self._settings = override_settings(EMAIL_HOST="mail.example", DEFAULT_FROM_EMAIL="samsaas@example.com")

    def __enter__(self) -> Plugged:
        def open_connector(profile: Any, purpose: str, *, wait: Any = None) -> Any:
            if not credentials.credential_for(profile, purpose).is_connected:
                raise base.Reconnect("No administrator has authorized this connection yet.")
            return self.teams[profile.pk].connector()

        credentials.open_connector = open_connector  # type: ignore[assignment]
        queue._send_task = lambda *given: True  # type: ignore[assignment]
        outbox.Postman = lambda: self.post  # type: ignore[assignment, misc]
        self._settings.enable()
        return self

    def __exit__(self, *given: Any) -> None:
        self._settings.disable()
        credentials.open_connector, queue._send_task, outbox.Postman = self._real  # type: ignore[misc]


def play_one(seed: int) -> Result:
    """Play one story in a transaction of its own, and roll it back: its seed, its counters, and what is broken."""
    from django.db import transaction  # noqa: PLC0415 - each process sets Django up before

    from tests.proofs.removals.story import Story  # noqa: PLC0415
    from tests.proofs.removals.world import World  # noqa: PLC0415

    time = Time()
    time.begin()
    try:
        with transaction.atomic(), Plugged() as plugged:
            world = World(random.Random(seed), plugged.teams)
            plugged.post = world.post
            story = Story(seed, world, time)
            try:
                return seed, story.play(), ""
            except Broken as broken:
                return seed, dict(world.watch.counters), str(broken)
            finally:
                transaction.set_rollback(True)
    finally:
        time.end()


def play(seeds: Iterable[int], jobs: int) -> Iterator[Result]:
    """The results of all seeds, in their order."""
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    from tests.proofs.twin import many  # noqa: PLC0415

    wanted = list(seeds)
    chunks = [wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK)]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawned, initializer=many._open_database) as pool:
        for found in pool.map(_play_chunk, chunks):
            yield from found


def _play_chunk(seeds: list[int]) -> list[Result]:
    return [play_one(seed) for seed in seeds]

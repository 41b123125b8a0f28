"""Worker and beat report that they run, also after the database was away."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from samsaas import background, embedded
from samsaas.models import Heartbeat
from tests.faults.crowd import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_reporter_goes_on_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "EVERY_SECONDS", 0.05)
    real, tries = Heartbeat.record, []

    def fail_twice(name: str) -> None:
        tries.append(name)
        if len(tries) <= 2:
            raise OperationalError("the database system is starting up")
        real(name)

    monkeypatch.setattr(Heartbeat, "record", fail_twice)
    reporter = background.Reporter(Heartbeat.WORKER)
    reporter.start()
    until(lambda: Heartbeat.WORKER in Heartbeat.silences(), 10)
    reporter.stop()
    assert len(tries) >= 3


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_an_embedded_thread_that_ends_by_itself_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process around it has to end, so that somebody starts it again: half of it would look alive."""
    missed: list[str] = []
    pair = embedded.WorkerAndBeat(on_death=missed.append)
    monkeypatch.setattr(pair, "_threads", {name: Ended()})
    pair.start()
    until(lambda: missed == [name], 10)


class Ended:
    """A thread that ended at once, as celery's does at an error it does not expect."""

    def start(self) -> None:
        """Begin and end."""

    def is_alive(self) -> bool:
        return False


def test_a_clean_stop_is_no_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background.Reporter, "start", lambda reporter: None)  # its threads end with the process only
    missed: list[Any] = []
    pair = embedded.WorkerAndBeat(on_death=missed.append)
    pair.start()
    until(lambda: pair._worker.consumer is not None, 20)
    pair.stop()
    assert missed == []

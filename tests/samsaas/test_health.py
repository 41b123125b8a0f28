"""The two probes: /healthz says that the process answers, /readyz that it can serve."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client

from samsaas import health
from samsaas.models import Heartbeat
from tests.faults.crowd import until

PROBES = ("/healthz", "/readyz")


def test_alive_needs_nothing_at_all(client: Client) -> None:
    """No database is allowed in this test: a slow one must not get the process killed."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.fixture
def at_work(db: None) -> None:
    Heartbeat.record(Heartbeat.WORKER)
    Heartbeat.record(Heartbeat.BEAT)


def test_ready_with_a_migrated_database_and_all_processes(client: Client, at_work: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("missing", ["worker", "beat"])
def test_a_missing_process_is_named_with_what_to_do_and_the_pages_stay_ready(
    client: Client, at_work: None, missing: str
) -> None:
    Heartbeat.objects.filter(name=missing).update(at=Now() - timedelta(seconds=150))
    answer = client.get("/readyz")
    assert answer.status_code == 200 and answer.json()["status"] == "ok"
    assert list(answer.json()["missing"]) == [missing]
    assert re.fullmatch(r"Silent for 15\d s\. Start it, .+doctor.+", answer.json()["missing"][missing])
    Heartbeat.objects.filter(name=missing).delete()
    assert "never run here" in client.get("/readyz").json()["missing"][missing]


def test_a_broker_that_this_web_process_does_not_reach_is_named(
    client: Client, at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked in the background: no answer waits for a broker that is silent."""
    given_up = threading.Event()

    def wait_and_give_up(*given: Any, **options: Any) -> Any:
        assert given_up.wait(20)
        raise ConnectionError("Redis is silent")

    monkeypatch.setattr("celery.Celery.connection_for_write", wait_and_give_up)
    monkeypatch.setattr(health, "broker", health.BrokerProbe())
    assert client.get("/readyz").json() == {"status": "ok"}
    given_up.set()
    until(lambda: "missing" in client.get("/readyz").json(), 5)
    assert "CELERY_BROKER_URL" in client.get("/readyz").json()["missing"]["broker"]


@pytest.mark.django_db
def test_not_ready_while_the_database_is_away_and_says_no_more_than_that(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **options: Any) -> Any:
        raise OperationalError("connection to 10.1.2.3 refused for user samsaas, password secret")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": "unreachable"})
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_not_ready_while_migrations_are_missing(client: Client) -> None:
    """What a rolling update sees: new code, and a database that was not migrated yet."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'subscriptions'")
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["migrations"] == health.pending_migrations() >= 1


@pytest.mark.django_db
def test_a_broker_that_is_down_does_not_take_the_pages_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **options: Any) -> Any:
        raise ConnectionError("Redis is down")

    monkeypatch.setattr("celery.Celery.connection_for_write", refuse)
    assert client.get("/readyz").status_code == 200 and client.get("/readyz").json()["status"] == "ok"


@pytest.mark.django_db
@pytest.mark.parametrize("path", PROBES)
def test_probes_answer_inside_the_network_without_https_session_or_account(
    client: Client, settings: Any, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/").status_code == 301, "everything else goes to https"
    answer = client.get(path)
    assert answer.status_code == 200 and not answer.cookies
    assert client.head(path).status_code == 200
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize("path", PROBES)
def test_probes_do_not_answer_under_a_foreign_name(client: Client, path: str) -> None:
    """`healthcheck.py` names the public host for that reason."""
    assert client.get(path, headers={"host": "evil.example"}).status_code == 400

"""The two probes: /healthz says that the process answers, /readyz that it can serve."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from samsaas import health

PROBES = ("/healthz", "/readyz")


def test_alive_needs_nothing_at_all(client: Client) -> None:
    """No database is allowed in this test: a slow one must not get the process killed."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_with_a_migrated_database(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


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
    assert client.get("/readyz").status_code == 200


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

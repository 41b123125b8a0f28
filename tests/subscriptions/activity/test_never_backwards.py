"""The two guards against an activity that moves backwards, each without the help of the other.

The first does not even try to write what is older than what is known. The second holds where another worker has
written something later since the statement began.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from profiles.connectors import base
from samsaas.lib import sql
from subscriptions.activity import store as activity
from subscriptions.models import LastActivity, Subscription
from tests import factories

HOUR = timedelta(hours=1)
NOW = datetime(2027, 6, 16, 12, tzinfo=UTC)
LATEST = LastActivity._meta.db_table


def store(seat: Subscription, *hours_ago: float) -> None:
    """A batch in which the seat was used at these moments, as the database's worker stores it."""
    uses = base.Uses()
    for ago in hours_ago:
        at = NOW - ago * HOUR
        uses.held.setdefault(at.toordinal(), {})[seat.external_id] = base.DayUse(1, at, "stored now")
    with transaction.atomic():
        activity.store_batch(seat.profile, uses, run_id=2, reading=2, signal="event")


@contextmanager
def attempts_noted(then: str = "SELECT 1") -> Iterator[list[int]]:
    """The seats for which a row of the latest activity was tried to be written, by the database's own trigger.

    `then` is what happens in between: after the statement has looked, before it writes.
    """
    noted: list[int] = []
    sql.execute("CREATE TEMPORARY TABLE tried (seat_id integer)")
    sql.execute(
        f"CREATE TEMPORARY TRIGGER note_attempt BEFORE INSERT ON main.{LATEST} BEGIN "
        f"INSERT INTO tried VALUES (NEW.subscription_id); {then}; END"
    )
    try:
        yield noted
    finally:
        noted += [seat_id for (seat_id,) in sql.fetch_rows("SELECT seat_id FROM tried")]
        sql.execute("DROP TRIGGER note_attempt")
        sql.execute("DROP TABLE tried")


@pytest.fixture
def seat(db: None) -> Subscription:
    """A seat last used an hour ago, as run 1 found."""
    made = factories.subscription()
    LastActivity.objects.create(subscription=made, at=NOW - HOUR, kind="known before", run_id=1)
    return made


needs_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's triggers play the other worker")


@needs_sqlite
@pytest.mark.parametrize("ago", [1, 1.5, 24, 24 * 400], ids=["as known", "older", "of yesterday", "long ago"])
def test_what_is_not_later_than_known_is_not_even_tried(seat: Subscription, ago: float) -> None:
    with attempts_noted() as tried:
        store(seat, ago)
    assert tried == []
    found = LastActivity.objects.get()
    assert (found.at, found.kind, found.run_id) == (NOW - HOUR, "known before", 1)


@needs_sqlite
def test_what_is_later_or_of_a_seat_without_any_is_tried_once(seat: Subscription) -> None:
    other = factories.subscription(profile=seat.profile)
    with attempts_noted() as tried:
        store(seat, 0.5, 30)
        store(other, 30, 60)
    assert tried == [seat.pk, other.pk]
    assert [one.at for one in LastActivity.objects.order_by("pk")] == [NOW - HOUR / 2, NOW - 30 * HOUR]


@needs_sqlite
@pytest.mark.parametrize(("other_worker", "kept"), [(0.2, "the other"), (0.5, "the other"), (0.7, "stored now")])
def test_what_another_worker_wrote_meanwhile_is_replaced_only_by_something_later(
    seat: Subscription, other_worker: float, kept: str
) -> None:
    at = f"{NOW - other_worker * HOUR:%Y-%m-%d %H:%M:%S}"
    with attempts_noted(f"UPDATE {LATEST} SET at = '{at}', kind = 'the other'") as tried:
        store(seat, 0.5)
    assert tried == [seat.pk], "the first guard had let it through"
    found = LastActivity.objects.get()
    assert (found.kind, found.at) == (kept, NOW - min(other_worker, 0.5) * HOUR)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a second connection to the test database")
@pytest.mark.parametrize(("other_worker", "kept"), [(0.2, "the other"), (0.7, "stored now")])
def test_a_later_activity_that_another_worker_commits_meanwhile_stays(other_worker: float, kept: str) -> None:
    """The statement looks, finds something older, and waits for the row; then it looks at the row again."""
    seat = factories.subscription()
    LastActivity.objects.create(subscription=seat, at=NOW - HOUR, kind="known before")
    written = threading.Event()

    def write_and_wait() -> None:
        try:
            with transaction.atomic():
                LastActivity.objects.update(at=NOW - other_worker * HOUR, kind="the other")
                written.set()
                wait_until_somebody_waits()
        finally:
            connection.close()

    other = threading.Thread(target=write_and_wait)
    other.start()
    assert written.wait(20)
    store(seat, 0.5)
    other.join(20)
    assert LastActivity.objects.get().kind == kept


def wait_until_somebody_waits() -> None:
    """Until another connection waits for a lock that this one holds."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    for _ in range(2000):
        if sql.fetch_row(waiting)[0]:
            return
        threading.Event().wait(0.01)
    raise AssertionError("The statement did not wait for the row.")

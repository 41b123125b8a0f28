"""A reconciliation beside others: one snapshot of everything, and nobody waits for it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from profiles import tasks
from profiles.models import JobRun
from samsaas.lib import sql
from subscriptions import recompute
from subscriptions.models import Entitlement, MetricResult, ReconciliationRun, SeatResult, Subscription
from subscriptions.question import ask
from subscriptions.reconciliation import cover_seats, read_facts
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_connection(work: Any) -> None:
    """Do something beside, and wait for it: whoever blocks it is found."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(15)
    assert not thread.is_alive() and problems == []


def test_what_is_written_while_it_reads_holds_nobody_up_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    model = factories.software_model()
    kind, profile = factories.identifier(software_model=model), factories.profile(refreshed_at=timezone.now())
    for _ in range(3):
        factories.subscription(profile=profile, identifier=kind)

    def write() -> None:
        Subscription.objects.update(ended_at=timezone.now())
        Entitlement.objects.create(
            software_model=model, state="in_use", start=timezone.localdate() - timedelta(days=9), purchased_rights=9
        )

    store, seen = cover_seats.rank_seats, []

    def rank_late(question: Any) -> None:
        in_another_connection(write)
        store(question)
        seen.append(Subscription.objects.listed().count())

    monkeypatch.setattr(cover_seats, "rank_seats", rank_late)
    asked, _ = recompute.request(ask(now=timezone.now()), by=None, now=timezone.now())
    assert asked
    tasks.execute(asked.run_id)
    asked.refresh_from_db()
    assert asked.state == ReconciliationRun.State.COMPLETED, JobRun.objects.get(pk=asked.run_id).error_message
    figures = MetricResult.objects.get()
    assert (figures.in_use, figures.owned, seen) == (3, 0, [3]), "all of it is of one moment"
    assert SeatResult.objects.count() == 3
    tables = {name for name in connection.introspection.table_names() if name.startswith("position_")}
    assert tables == set()


def test_tables_of_a_run_that_failed_are_not_in_the_way_of_the_next() -> None:
    for name in (read_facts.FACTS, cover_seats.RANKED, cover_seats.RIGHTS):
        sql.execute(f"CREATE TEMPORARY TABLE {name} (something integer)")
    asked, _ = recompute.request(ask(now=timezone.now()), by=None, now=timezone.now())
    assert asked
    tasks.execute(asked.run_id)
    asked.refresh_from_db()
    assert asked.state == ReconciliationRun.State.COMPLETED

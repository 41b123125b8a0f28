"""Start a back-test: keep what is asked for, and request the run that does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles.jobs import queue
from profiles.models import JobRun
from reclamation.back_tests.replay import BACK_TEST
from reclamation.models import BackTest, ReclamationRule
from samsaas import audit


@dataclass(frozen=True)
class Question:
    """What a back-test asks: settings by the names of `BackTest.SETTINGS`, the days, and the horizon after each."""

    settings: dict[str, Any]
    from_on: date
    to_on: date
    horizon_days: int


@transaction.atomic
def run(rule: ReclamationRule, asked: Question, *, by: User, now: datetime) -> BackTest:
    """Store the back-test and request its run."""
    test = BackTest.objects.create(
        rule=rule,
        settings=asked.settings,
        from_on=asked.from_on,
        to_on=asked.to_on,
        horizon_days=asked.horizon_days,
        by=by,
        at=now,
    )
    test.run, _ = queue.request(queue.Request(BACK_TEST, JobRun.Trigger.MANUAL, subject=test.pk, by=by))
    test.save(update_fields=["run"])
    audit.record(by, "started back-test", test, rule=rule.name, settings=asked.settings)
    return test

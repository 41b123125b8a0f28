"""A sealed trail, and what somebody with the database in hand can do to it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any

from django.db import connection
from django.utils import timezone

from samsaas.models import AuditEntry, AuditSeal
from samsaas.sealing import seal, verify
from samsaas.sealing.check import Report
from tests import factories, trail

ENTRIES, SEALS = "samsaas_auditentry", "samsaas_auditseal"


def write_entries(count: int, *, at: datetime | None = None, **fields: Any) -> list[int]:
    """Entries of ten minutes ago, a second apart; returns their numbers."""
    start = at or timezone.now() - timedelta(minutes=10)
    return [
        factories.audit_entry(
            at=start + timedelta(seconds=number),
            actor_name="ann",
            verb="changed profile",
            object_name=f"Profile {number}",
            detail={"before": {"name": "Müller"}, "after": {"name": f"M{number}"}},
            **fields,
        ).pk
        for number in range(count)
    ]


def seal_in_steps(*counts: int) -> list[list[int]]:
    """A seal for each count of entries; returns the numbers that each has."""
    made = []
    for count in counts:
        made.append(write_entries(count))
        assert seal.run(now=timezone.now()) == 1
    return made


def verified(**options: Any) -> Report:
    return verify.run(now=timezone.now(), **options)


def first_problem(report: Report) -> str:
    assert report.problems, "nothing was noticed"
    return report.problems[0].text


def tamper(statement: str, *values: Any) -> None:
    """Run a statement with the triggers off, as the owner of the tables can."""
    trail.drop_triggers()
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount != 0, "the attack has to reach something"


def new_key() -> str:
    return urlsafe_b64encode(token_bytes(32)).decode()


def copies(model: type[AuditEntry] | type[AuditSeal]) -> list[Any]:
    return list(model.objects.order_by("pk"))

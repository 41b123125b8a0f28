"""Create, change or delete a report: each with an entry in the audit trail that names its recipients."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from samsaas import audit
from samsaas.lib import edits
from samsaas.models import Report, ReportRecipient

FIELDS = ("name", "kind", "every", "weekday", "month_day", "active")


@transaction.atomic
def create(data: dict[str, Any], *, by: User, now: datetime) -> Report:
    """A report from the cleaned data of the form."""
    report = Report.objects.create(**{name: data[name] for name in FIELDS}, created_at=now, created_by=by)
    _store_recipients(report, data["recipients"])
    audit.record(by, "created report", report, kind=report.kind, to=data["recipients"])
    return report


@transaction.atomic
def change(report_id: int, data: dict[str, Any], *, by: User, now: datetime) -> Report:
    """Store changes. One that is switched on again, or gets other days, makes up for nothing."""
    report = Report.objects.select_for_update().get(pk=report_id)
    before = list(report.recipients.values_list("address", flat=True))
    changes = edits.set_changed(report, data, FIELDS)
    if {"active", "every", "weekday", "month_day"} & changes.after.keys():
        report.settled_on = timezone.localdate(now) - timedelta(days=1)
    report.save()
    _store_recipients(report, data["recipients"])
    if before != data["recipients"]:
        changes.add("recipients", ", ".join(before), ", ".join(data["recipients"]))
    audit.record(by, "changed report", report, before=changes.before, after=changes.after)
    return report


@transaction.atomic
def delete(report: Report, *, by: User) -> None:
    """Delete it. Mails that were sent stay in the outbox."""
    audit.record(by, "deleted report", report, kind=report.kind)
    report.delete()


def _store_recipients(report: Report, addresses: list[str]) -> None:
    """Whoever stopped it and is still on the list gets it no more; taken off and put on again, they do."""
    report.recipients.exclude(address__in=addresses).delete()
    held = set(report.recipients.values_list("address", flat=True))
    new = [ReportRecipient(report=report, address=one) for one in addresses if one not in held]
    ReportRecipient.objects.bulk_create(new)

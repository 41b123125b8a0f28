"""Have a workbook written by a job, because it is long: keep what was asked for, and request the run.

The job opens the same address again as the same person. So it has the rows and the permission that the person has at
that moment, with the columns that they saw, and a list needs nothing besides its page.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from profiles.jobs import queue
from profiles.models import JobRun
from samsaas.lib.http import SignedInRequest
from samsaas.lib.list_choices import read_choices
from samsaas.lib.list_export import ListExport
from samsaas.lib.selection import PARAMETER, STORED
from samsaas.models import ExportedList

EXPORT_LIST = "export_list"


@transaction.atomic
def run(request: SignedInRequest, export: ListExport, count: int, *, now: datetime) -> JobRun | None:
    """The run that writes the file. Nothing else has its subject, so there is always a new one."""
    asked = ExportedList.objects.create(
        by=request.user,
        at=now,
        name=export.name,
        path=request.path,
        query=request.GET.urlencode(),
        columns=dict(read_choices(request).columns),
        selection=request.session.get(STORED, {}).get(request.GET.get(PARAMETER, "")),
        lines=count,
    )
    return queue.request(queue.Request(EXPORT_LIST, JobRun.Trigger.MANUAL, subject=asked.pk, by=asked.by))[0]

"""The job of a long workbook.

1. Open the list again as the person who asked: `ExportAsked` brings its rows.
2. Write the workbook into a temporary file, row by row, and say how far it is.
3. Store it in pieces, where the web process finds it, in the transaction that ends the run.

Files are deleted a week later.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.urls import resolve

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import policy
from samsaas.lib import stored_file, workbook_export
from samsaas.lib.list_choices import ListChoices
from samsaas.lib.list_export import ExportAsked, ListExport
from samsaas.lib.selection import PARAMETER, STORED, SelectionGone
from samsaas.lib.workbook_export import WrittenSheet
from samsaas.list_exports.answer import make_sheet
from samsaas.models import ExportedList

MOST_LINES = 1_048_575  # a sheet of Excel has one row more, for the headings
EVERY = 5000
KEEP_FOR = timedelta(days=7)
REMEDY = "Open the list, look at its rows, and export it again."


class NotAnExport(Exception):
    """The address does not lead to a list for this person any more."""


def run(job: Job, *, now: datetime) -> None:
    """Write the file. Raises `LeaseLost` or `Canceled`."""
    asked = ExportedList.objects.select_related("by").get(pk=job.run.subject or 0)
    try:
        export = open_list(asked)
    except NotAnExport as problem:
        job.close(JobRun.State.FAILED, error_kind="NotAnExport", error_message=str(problem), error_remedy=REMEDY)
        return
    job.progress(expected=min(asked.lines, MOST_LINES), step="Writing the workbook")
    sheet = make_sheet(export)
    with tempfile.TemporaryFile() as file:
        lines = islice(_reported(job, sheet.rows), MOST_LINES)
        workbook_export.write_workbook(file, [WrittenSheet(sheet.name, sheet.header, lines)])
        if asked.lines > MOST_LINES:
            job.warn(
                f"A sheet holds {MOST_LINES:,} lines at most, so these are the first of {asked.lines:,} in the list's "
                "order. The CSV has all of them."
            )
        with transaction.atomic():
            asked.pieces.all().delete()
            stored_file.store_pieces(asked, file)
            job.progress(items=min(asked.lines, MOST_LINES))


def open_list(asked: ExportedList) -> ListExport:
    """The list as the person would get it now. Raises `NotAnExport`."""
    request, match = _make_request(asked), resolve(asked.path)
    if not (asked.by and asked.by.is_active and policy.may(asked.by, match.view_name)):
        raise NotAnExport("This account may not open the list any more.")
    try:
        match.func(request, *match.args, **match.kwargs)
    except ExportAsked as found:
        return found.export
    except SelectionGone as gone:
        raise NotAnExport(str(gone)) from gone
    raise NotAnExport("The list cannot be exported any more.")


def discard_old(now: datetime) -> int:
    """Delete what was asked for longer ago than files are kept. Returns how many."""
    return ExportedList.objects.filter(at__lt=now - KEEP_FOR).delete()[0]


def _make_request(asked: ExportedList) -> Any:
    request: Any = HttpRequest()
    request.method, request.path, request.path_info = "GET", asked.path, asked.path
    request.META = {"QUERY_STRING": asked.query, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.GET, request.user = QueryDict(asked.query), asked.by
    token = request.GET.get(PARAMETER, "")
    request.session = {STORED: {token: asked.selection}} if asked.selection else {}
    request.list_choices = ListChoices(columns=asked.columns)
    return request


def _reported(job: Job, rows: Any) -> Iterator[Any]:
    for number, row in enumerate(rows):
        if number % EVERY == 0:
            job.progress(items=number)
        yield row

"""Answer with a list as a file.

1. If a filter of the address cannot be used, nothing is sent: the list itself names the problem.
2. An audit entry says who takes which rows, before the first of them is read.
3. CSV is streamed. A workbook is written at once, or by a job if it has more than `MOST_AT_ONCE` lines.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from samsaas import audit
from samsaas.lib import csv_export, workbook_export
from samsaas.lib.http import SignedInRequest
from samsaas.lib.list_export import CSV, MOST_AT_ONCE, PARAMETER, ListExport
from samsaas.lib.selection import PLACE_PARAMETERS
from samsaas.lib.sight import seen_by
from samsaas.lib.workbook_export import WrittenSheet
from samsaas.list_exports import order

ONLY_CSV = f"An account with limited sight gets workbooks of up to {MOST_AT_ONCE:,} lines. Take CSV, or fewer rows."
LONGEST_SHEET_NAME = 31  # letters, as Excel takes them


def run(request: SignedInRequest, export: ListExport, *, now: datetime) -> HttpResponseBase:
    """The file, or the page of the run that writes it."""
    if export.is_misread:
        return redirect(_list_address(request))
    count = export.rows.count()
    audit.record_export(request.user, export.name.lower(), rows=count, filters=_chosen(request))
    if export.kind == CSV:
        return csv_export.stream(export.name, export.header, export.lines())
    if count > MOST_AT_ONCE and seen_by(request) is not None:  # the job and its file are no rows of a profile
        messages.info(request, ONLY_CSV)
        return redirect(_list_address(request))
    if count > MOST_AT_ONCE:
        return redirect(order.run(request, export, count, now=now) or "run_list")
    return workbook_export.respond(export.name, [make_sheet(export)])


def make_sheet(export: ListExport) -> WrittenSheet:
    """The one sheet of the workbook. Its rows are read while it is written."""
    name = re.sub(r"[\[\]:*?/\\']", " ", export.name)[:LONGEST_SHEET_NAME]
    return WrittenSheet(name, export.header, export.lines())


def _list_address(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop(PARAMETER, None)
    return f"{request.path}?{query.urlencode()}"


def _chosen(request: HttpRequest) -> dict[str, str]:
    """The filters of the list, for the audit entry, and the kind of file."""
    filters = {name: ", ".join(request.GET.getlist(name)) for name in request.GET if name not in PLACE_PARAMETERS}
    return filters | ({"selected": "yes"} if request.GET.get("selection") else {})

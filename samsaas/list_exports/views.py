"""The file that a job has written."""

from __future__ import annotations

from django.http import FileResponse
from django.shortcuts import get_object_or_404

from samsaas import audit
from samsaas.lib import stored_file, workbook_export
from samsaas.lib.http import SignedInRequest
from samsaas.models import ExportedList


def exported_list(request: SignedInRequest, pk: int) -> FileResponse:
    """The workbook, for the person who asked for it and for nobody else."""
    asked = get_object_or_404(ExportedList.objects.filter(by=request.user, pieces__number=0), pk=pk)
    audit.record_export(request.user, asked.name.lower(), rows=asked.lines, filters={"asked": asked.at.isoformat()})
    return workbook_export.send(stored_file.open_pieces(asked), asked.name)

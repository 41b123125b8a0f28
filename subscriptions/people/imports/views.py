"""Pages for importing people: upload a file, see what it would change, apply it or discard it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from samsaas import audit
from samsaas.lib import csv_export, tables, uploads
from samsaas.lib.http import SignedInRequest
from subscriptions.file_imports import Over, Unconfirmed
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people import directory
from subscriptions.people.imports import (
    differences as people_differences,
    refused_lines,
    seats as import_seats,
    steps as import_people,
    upload as upload_people,
)
from subscriptions.people.imports.columns import COLUMNS, EXAMPLE, LABELS
from subscriptions.people.imports.doubts import list_doubts
from subscriptions.people.imports.filters import ImportRowFilter
from subscriptions.people.imports.forms import PeopleColumnsForm, PeopleFileForm
from subscriptions.people.imports.tables import ImportRowTable
from subscriptions.users import changes_file

RECENT = 10
SEATS_SHOWN = 50


def person_import_new(request: SignedInRequest) -> HttpResponse:
    """The upload form and the latest imports. After an upload, the page of the new import."""
    posted = request.method == "POST"
    oversized = posted and uploads.is_oversized(request, "file")
    form = PeopleFileForm(request.POST if posted else None, request.FILES or None, oversized=oversized)
    if form.is_valid():
        return redirect(_start_import(request, form))
    recent = PersonImport.objects.select_related("uploaded_by", "run")[:RECENT]
    return render(
        request, "subscriptions/people/imports/import_new.html", {"form": form, "recent": recent, "columns": COLUMNS}
    )


def _start_import(request: SignedInRequest, form: PeopleFileForm) -> PersonImport:
    file = form.cleaned_data["file"]
    return upload_people.run(
        file,
        file_name=file.name,
        mark_leavers=form.cleaned_data["mark_leavers"],
        strict=form.cleaned_data["strict"],
        by=request.user,
        now=timezone.now(),
    )


def person_import_example(request: SignedInRequest) -> HttpResponseBase:
    """An example file with every column."""
    return csv_export.stream("people-example", [LABELS[column] for column in EXAMPLE[0]], EXAMPLE[1:])


def person_import_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """The progress of the job, the preview with the people who are missing from the file, or the result."""
    upload = get_object_or_404(PersonImport.objects.select_related("uploaded_by", "run"), pk=pk)
    context: dict[str, Any] = {"upload": upload}
    if upload.state == PersonImport.State.CHOOSING:
        context["form"] = PeopleColumnsForm(upload=upload)
    elif upload.waits or upload.state == PersonImport.State.APPLIED:
        context |= tables.listing(request, upload.rows.all(), ImportRowTable, ImportRowFilter)
        import_seats.attach_overlaps(upload, list(context["table"].page.object_list.data))
    if upload.waits:
        context["doubts"] = list_doubts(upload)
        context["seats"] = upload.seats.select_related("subscription__profile")[:SEATS_SHOWN]
    if upload.waits and upload.mark_leavers:
        context["missing"] = people_differences.missing_people(upload)[: directory.MOST_SHOWN]
    return render(request, "subscriptions/people/imports/import_detail.html", context)


def person_import_columns(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say in which encoding a file is, which column is which, and how dates are written. It is read again with that."""
    upload = get_object_or_404(PersonImport.objects.select_related("uploaded_by", "run"), pk=pk)
    if not upload.can_choose:
        messages.info(request, "How this file is read cannot be chosen now.")
        return redirect(upload)
    form = PeopleColumnsForm(request.POST if request.method == "POST" else None, upload=upload)
    if form.is_valid():
        try:
            import_people.choose(pk, form.layout, by=request.user)
        except Over as over:
            messages.info(request, str(over))
        return redirect(upload)
    return render(request, "subscriptions/people/imports/import_columns.html", {"upload": upload, "form": form})


@require_POST
def person_import_apply(request: SignedInRequest, pk: int) -> HttpResponse:
    """Request that the preview is applied as it was shown."""
    upload = get_object_or_404(PersonImport, pk=pk)
    try:
        import_people.confirm(pk, confirmed="confirmed" in request.POST, by=request.user)
    except Over as over:
        messages.info(request, str(over))
    except Unconfirmed as doubt:
        messages.error(request, f"{doubt} Nothing was applied. Tick the box below if this is right.")
    return redirect(upload)


@require_POST
def person_import_read(request: SignedInRequest, pk: int) -> HttpResponse:
    """Request that a file is read again after its reading was interrupted."""
    upload = get_object_or_404(PersonImport, pk=pk)
    try:
        import_people.read_again(pk, by=request.user)
    except Over as over:
        messages.info(request, str(over))
    return redirect(upload)


@require_POST
def person_import_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """Discard the file. The directory is not changed."""
    upload = get_object_or_404(PersonImport, pk=pk)
    try:
        import_people.discard(pk, by=request.user)
    except Over as over:
        messages.info(request, str(over))
        return redirect(upload)
    messages.success(request, "The file was discarded. The directory was not changed.")
    return redirect("person_import_new")


def person_import_seats(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """All subscriptions whose user the file would change, as a CSV file."""
    upload = get_object_or_404(PersonImport, pk=pk)
    seats = upload.seats.select_related("subscription__profile")
    rows = seats.iterator(chunk_size=2000)
    return changes_file.stream(upload.file_name, rows, rows=seats.count(), by=request.user)


def person_import_errors(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The refused lines with their problems, as a CSV file that can be corrected and uploaded again."""
    upload = get_object_or_404(PersonImport, pk=pk)
    refused = upload.rows.filter(effect=PersonImportRow.Effect.REFUSED)
    audit.record_export(request.user, "refused people", rows=refused.count(), filters={"file": upload.file_name})
    header, rows = refused_lines.write(upload, refused)
    return csv_export.stream(f"refused-{upload.file_name}", header, rows)

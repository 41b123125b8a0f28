"""Pages for importing entitlements: template, upload, which column is which, the preview, and the refused lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from samsaas import audit
from samsaas.lib import csv_export, tables, uploads, workbook_export
from samsaas.lib.http import SignedInRequest
from samsaas.lib.spreadsheets.sheet import OWN_COLUMNS
from samsaas.lib.workbook_export import WrittenSheet
from subscriptions.entitlements.columns import BY_KEY, COLUMNS
from subscriptions.entitlements.imports import steps as import_steps
from subscriptions.entitlements.imports.filters import EntitlementRowFilter
from subscriptions.entitlements.imports.forms import EntitlementColumnsForm, EntitlementFileForm
from subscriptions.entitlements.imports.tables import EntitlementRowTable
from subscriptions.file_imports import Over, Unconfirmed
from subscriptions.models import EntitlementImport, EntitlementImportRow

RECENT = 10
FOLDER = "subscriptions/entitlements/imports"
TEMPLATE = "entitlements-template"


def entitlement_import_new(request: SignedInRequest) -> HttpResponse:
    """The upload form and the latest imports. After an upload, the page of the new import."""
    posted = request.method == "POST"
    oversized = posted and uploads.is_oversized(request, "file")
    form = EntitlementFileForm(request.POST if posted else None, request.FILES or None, oversized=oversized)
    if form.is_valid():
        file = form.cleaned_data["file"]
        upload = import_steps.store_upload(file, file_name=file.name, by=request.user, now=timezone.now())
        return redirect(upload)
    recent = EntitlementImport.objects.select_related("uploaded_by", "run")[:RECENT]
    return render(request, f"{FOLDER}/import_new.html", {"form": form, "recent": recent, "columns": COLUMNS})


def entitlement_import_template(request: SignedInRequest) -> HttpResponseBase:
    """The template: a workbook with a sheet that explains every column, or CSV with `?as=csv`."""
    header = [column.label for column in COLUMNS]
    if request.GET.get("as") == "csv":
        return csv_export.stream(TEMPLATE, header, [])
    explained = [
        (column.label, "required" if column.is_required else "", column.meaning, column.example) for column in COLUMNS
    ]
    guide = WrittenSheet("How to fill it in", ("Column", "Needed", "What it holds", "Example"), explained)
    return workbook_export.respond(TEMPLATE, [WrittenSheet("Entitlements", header), guide])


def entitlement_import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of the job, the question which column is which, the preview, or the result."""
    upload = get_object_or_404(EntitlementImport.objects.select_related("uploaded_by", "run"), pk=pk)
    context: dict[str, Any] = {"upload": upload}
    if upload.state == EntitlementImport.State.CHOOSING:
        context["form"] = EntitlementColumnsForm(upload=upload)
    elif upload.waits or upload.state == EntitlementImport.State.APPLIED:
        context |= tables.listing(request, upload.rows.all(), EntitlementRowTable, EntitlementRowFilter)
    return render(request, f"{FOLDER}/import_detail.html", context)


def entitlement_import_columns(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say which column is which, and how numbers and dates are written. The file is read again with that."""
    upload = get_object_or_404(EntitlementImport.objects.select_related("uploaded_by", "run"), pk=pk)
    if not upload.can_choose:
        messages.info(request, "The columns of this file cannot be chosen now.")
        return redirect(upload)
    form = EntitlementColumnsForm(request.POST or None, upload=upload)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        written = {"date_order": data["date_order"], "decimal_sign": data["decimal_sign"]}
        sheet = data.get("sheet", "")
        _try_step(request, lambda: import_steps.choose(pk, form.columns, sheet=sheet, by=request.user, **written))
        return redirect(upload)
    return render(request, f"{FOLDER}/import_columns.html", {"upload": upload, "form": form})


@require_POST
def entitlement_import_apply(request: SignedInRequest, pk: int) -> HttpResponse:
    """Request that the lines of the preview are recorded as drafts."""
    upload = get_object_or_404(EntitlementImport, pk=pk)
    ticks = {"good_lines": "good_lines" in request.POST, "make_models": "make_models" in request.POST}
    try:
        import_steps.confirm(pk, by=request.user, **ticks)
    except Over as over:
        messages.info(request, str(over))
    except Unconfirmed as doubt:
        messages.error(request, f"{doubt} Nothing was imported.")
    return redirect(upload)


@require_POST
def entitlement_import_read(request: SignedInRequest, pk: int) -> HttpResponse:
    """Request that a file is read again after its reading was interrupted."""
    upload = get_object_or_404(EntitlementImport, pk=pk)
    _try_step(request, lambda: import_steps.read_again(pk, by=request.user))
    return redirect(upload)


@require_POST
def entitlement_import_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """Discard the file. Nothing is recorded."""
    upload = get_object_or_404(EntitlementImport, pk=pk)
    if not _try_step(request, lambda: import_steps.discard(pk, by=request.user)):
        return redirect(upload)
    messages.success(request, "The file was discarded. Nothing was recorded.")
    return redirect("entitlement_import_new")


def _try_step(request: HttpRequest, step: Callable[[], Any]) -> bool:
    """Whether the step was possible. If not, a message says why."""
    try:
        step()
    except Over as over:
        messages.info(request, str(over))
        return False
    return True


def entitlement_import_errors(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The refused lines with their problems, as a CSV file that can be corrected and uploaded again."""
    upload = get_object_or_404(EntitlementImport, pk=pk)
    keys = [key for key in BY_KEY if key in upload.counters.get("places", {})]
    refused = upload.rows.filter(effect=EntitlementImportRow.Effect.REFUSED)
    audit.record_export(request.user, "refused entitlements", rows=refused.count(), filters={"file": upload.file_name})
    header = [*(BY_KEY[key].label for key in keys), *OWN_COLUMNS]
    return csv_export.stream(f"refused-{upload.file_name}", header, _refused_lines(refused, keys))


def _refused_lines(refused: QuerySet[EntitlementImportRow], keys: list[str]) -> Iterator[tuple[Any, ...]]:
    for row in refused.iterator(chunk_size=2000):
        cells = row.values.get("cells", {})
        yield (*(cells.get(key, "") for key in keys), row.line, row.problem)

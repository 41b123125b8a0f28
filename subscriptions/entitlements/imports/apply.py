"""Record the entitlements of a confirmed preview, as drafts.

1. Create the software models that were missing, which the person has confirmed.
2. Compare the lines with what is recorded again. If one of them would not be accepted any more, record nothing, and
   make the preview again, so that a person can look at it again.
3. Create the drafts with their first version, batch by batch.
4. Keep the refused lines for the error file, and delete the others and the file itself.

This is one transaction, which also ends the run. So the whole file is recorded once, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from subscriptions.entitlements.columns import EDITION, END, PRODUCT, PUBLISHER, START, TOTAL_COST, UNIT_COST
from subscriptions.entitlements.edit import make_version
from subscriptions.entitlements.imports import read as read_file
from subscriptions.entitlements.imports.compare_lines import Name, Records, name_of
from subscriptions.entitlements.imports.parse_line import BadLine, make_draft
from subscriptions.models import Entitlement, EntitlementImport, EntitlementImportRow, EntitlementVersion, SoftwareModel

BATCH = 500
CHANGED = "What is recorded has changed since this preview was made. Nothing was imported. Look at the new preview."
APART = ("software_model", "renewed", "owner_account")
Effect = EntitlementImportRow.Effect
State = EntitlementImport.State


class OutdatedPreview(Exception):
    """What is recorded is no longer as the preview shows it."""


def run(job: Job, upload: EntitlementImport, *, now: datetime) -> None:
    """Record the drafts, or make the preview again. Raises `LeaseLost` or `Canceled`, and records nothing then."""
    lines = upload.counters[Effect.NEW.value]
    job.progress(items=0, expected=lines, step=f"Recording {lines:,} entitlements")
    try:
        with transaction.atomic():
            _record_lines(job, upload, now)
    except (OutdatedPreview, IntegrityError):  # somebody else may have recorded the same renewal meanwhile
        EntitlementImport.objects.filter(pk=upload.pk).update(state=State.READING, problem=CHANGED)
        upload.refresh_from_db()
        read_file.run(job, upload, now=now)


def _record_lines(job: Job, upload: EntitlementImport, now: datetime) -> None:
    by = job.run.requested_by
    records = Records.read()
    models = _make_models(upload, by)
    made: list[Entitlement] = []
    for batch in _read_batches(upload):
        drafts = [_make_draft(row, records, models, by) for row in batch]
        _attach_names(drafts)
        created = Entitlement.objects.bulk_create(drafts)
        EntitlementVersion.objects.bulk_create(make_version(one, by=by, now=now) for one in created)
        made += created
        job.show_progress(len(made))
    if len(made) != upload.counters[Effect.NEW.value]:
        raise OutdatedPreview
    _end_import(job, upload, made, now)


def _make_models(upload: EntitlementImport, by: User | None) -> dict[Name, int]:
    """The software models that are made for this file, by their compared names."""
    found: dict[Name, int] = {}
    for row in upload.rows.filter(effect=Effect.NEW, values__parsed__software_model=None).iterator(chunk_size=BATCH):
        parts = [row.values["parsed"].get(part, "") for part in (PUBLISHER, PRODUCT, EDITION)]
        if name_of(parts) not in found:
            model = SoftwareModel.objects.find_or_make(*parts)
            found[name_of(parts)] = model.pk
            audit.record(by, "created software model", model, file=upload.file_name)
    return found


def _read_batches(upload: EntitlementImport) -> Iterator[list[EntitlementImportRow]]:
    line = 0
    rows = upload.rows.filter(effect=Effect.NEW).order_by("line")
    while batch := list(rows.filter(line__gt=line)[:BATCH]):
        yield batch
        line = batch[-1].line


def _make_draft(
    row: EntitlementImportRow, records: Records, models: Mapping[Name, int], by: User | None
) -> Entitlement:
    values = unpack_values(row.values["parsed"])
    shown = {name: values.pop(name) for name in APART}
    try:
        if records.accept_line(row.line, values) or values["renewed"] != shown["renewed"]:
            raise OutdatedPreview
    except BadLine:
        raise OutdatedPreview from None
    found = {name: values.pop(name) for name in APART}
    name = name_of((values[PUBLISHER], values[PRODUCT], values.get(EDITION, "")))
    draft = make_draft(values)
    draft.software_model_id = found["software_model"] or models[name]
    draft.renews_id, draft.owner_id = found["renewed"], found["owner_account"]
    draft.created_by = draft.updated_by = by
    return draft


def _attach_names(drafts: list[Entitlement]) -> None:
    """The records that drafts refer to, read at once: their versions name them."""
    models = SoftwareModel.objects.in_bulk({one.software_model_id for one in drafts})
    owners = User.objects.in_bulk({one.owner_id for one in drafts if one.owner_id})
    renewed = Entitlement.objects.in_bulk({one.renews_id for one in drafts if one.renews_id})
    for one in drafts:
        one.software_model = models[one.software_model_id]
        one.owner = owners.get(one.owner_id or 0)
        one.renews = renewed.get(one.renews_id or 0)


def unpack_values(packed: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a stored line as they were read."""
    values = dict(packed)
    for key in (START, END):
        if values.get(key):
            values[key] = date.fromisoformat(values[key])
    for key in (UNIT_COST, TOTAL_COST):
        if values.get(key) is not None:
            values[key] = Decimal(values[key])
    return values


def _end_import(job: Job, upload: EntitlementImport, made: list[Entitlement], now: datetime) -> None:
    upload.rows.exclude(effect=Effect.REFUSED).delete()
    upload.pieces.all().delete()
    numbers = {"first": made[0].number, "last": made[-1].number} if made else {}
    upload.counters = {**upload.counters, **numbers}
    upload.state, upload.applied_at, upload.problem = State.APPLIED, now, ""
    upload.save(update_fields=["state", "applied_at", "counters", "problem"])
    figures = {name: upload.counters.get(name, 0) for name in (*Effect.values, "missing")}
    audit.record(job.run.requested_by, "imported entitlements", upload, **figures, **numbers)
    counters = {"added": len(made), "same": figures[Effect.SAME], "models": figures["missing"]}
    job.close(JobRun.State.SUCCEEDED, counters=counters, items=len(made))

"""Read the uploaded file of an import into a preview. Nothing in the directory changes.

1. Start from nothing: what an attempt that broke off has stored is dropped.
2. Read the file line by line and store, beside each line, what it would do or why it is refused; every batch of lines
   commits together with its progress.
3. Refuse lines that share an employee number: nobody can say which of them is right. Mark those whose manager nobody
   knows: that is no reason to refuse them.
4. Count, among others whom the file leaves out. The file itself goes: it has been read.

A file that turns out unreadable on its last line leaves nothing behind but the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.lib import bulk
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people.imports import differences as people_differences, file as people_file, stored_file
from subscriptions.people.imports.file import KEY, Record, Unreadable

ROWS = PersonImportRow._meta.db_table
COLUMNS = ("upload_id", "line", "effect", "key", "values", "problem", "unknown_manager")
LONGEST_PROBLEM = PersonImportRow._meta.get_field("problem").max_length or 0
Effect = PersonImportRow.Effect
TWINS = "Another line of the file has the same employee number."
REMEDY = "Correct the file and upload it again."


def run(job: Job, upload: PersonImport, *, now: datetime) -> None:
    """A preview, or the reason why there is none. Raises `runs.LeaseLost` or `runs.Canceled`."""
    with transaction.atomic():
        job.progress(items=0, step="Reading the file", expected=stored_file.line_ends(upload))
        upload.rows.all().delete()
    try:
        header, records = people_file.read(stored_file.opened(upload))
        lines, unsure = _load(job, upload, records, timezone.localdate(now))
        if not lines:
            raise Unreadable("The file has no line below its header.")
    except Unreadable as problem:
        _refuse(job, upload, str(problem))
    else:
        job.progress(step="Comparing with the directory", expected=lines)
        upload.counters = {"columns": header.known, "ignored": header.ignored, "lines": lines, "unsure": unsure}
        _show(job, upload)


@transaction.atomic
def _show(job: Job, upload: PersonImport) -> None:
    PersonImport.objects.held(upload.pk)  # before its lines, as whoever throws it away does
    _refuse_twins(upload)
    people_differences.mark_unknown_managers(upload)
    upload.counters = people_differences.counted(upload)
    upload.state = PersonImport.State.PREVIEW
    upload.save(update_fields=["state", "counters"])
    upload.pieces.all().delete()
    counters = {name: upload.counters[name] for name in ("lines", *Effect.values)}
    if upload.mark_leavers:
        counters["leavers"] = upload.counters["leavers"]
    told = {"lines": counters["lines"], "refused": counters[Effect.REFUSED.value]}
    audit.record(job.run.requested_by, "uploaded people", upload, **told)
    job.close(JobRun.State.SUCCEEDED, counters=counters)


@transaction.atomic
def _refuse(job: Job, upload: PersonImport, problem: str) -> None:
    PersonImport.objects.held(upload.pk)
    upload.rows.all().delete()
    upload.pieces.all().delete()
    upload.state, upload.problem = PersonImport.State.UNREADABLE, problem
    upload.save(update_fields=["state", "problem"])
    job.close(JobRun.State.FAILED, error_kind="Unreadable", error_message=problem, error_remedy=REMEDY)


def refresh(job: Job, upload: PersonImport, *, now: datetime) -> None:
    """Make the preview anew from its stored lines, because the directory has changed. Call it in a transaction."""
    today, done = timezone.localdate(now), 0
    for batch in people_differences.batches(people_differences.readable(upload)):
        people = people_differences.known(row.key for row in batch)
        different = []
        for row in batch:
            of = people.get(row.key)
            values = people_differences.values_of(row, of, upload, today=today)
            effect, before = people_differences.compared(values, of, today=today)
            if (effect, before) != (row.effect, row.values.get("before", {})):
                row.effect, row.values = effect, {**row.values, "before": before}
                different.append(row)
        PersonImportRow.objects.bulk_update(different, ["effect", "values"], batch_size=200)
        done += len(batch)
        job.show_progress(done)
    people_differences.mark_unknown_managers(upload)
    upload.counters = people_differences.counted(upload)


def _load(job: Job, upload: PersonImport, records: Iterator[Record], today: date) -> tuple[int, int]:
    """Store every line; gives how many there are, and how many of the refused may hide a person."""
    lines = unsure = 0
    while batch := list(islice(records, people_differences.BATCH)):
        rows = list(_rows(upload, batch, today))
        unsure += sum(1 for row, record in zip(rows, batch, strict=True) if row.problem and record.unsure)
        with transaction.atomic():
            lines += bulk.load(connection, ROWS, COLUMNS, (_stored(row) for row in rows))
            job.progress(items=lines)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # or the planner takes a hundred thousand new lines for a handful
            cursor.execute(f"ANALYZE {ROWS}")
    return lines, unsure


def _rows(upload: PersonImport, batch: Iterable[Record], today: date) -> Iterator[PersonImportRow]:
    longest = PersonImportRow._meta.get_field("key").max_length or 0
    people = people_differences.known(record.cells.get(KEY, "") for record in batch)
    for record in batch:
        key = _clean(record.cells.get(KEY, ""))[:longest]
        cells = {column: _clean(cell) for column, cell in record.cells.items()}
        row = PersonImportRow(upload=upload, line=record.line, key=key, values={"cells": cells})
        try:
            if record.problem:
                raise ValueError(record.problem)
            if cells != record.cells:
                people_file.parsed(record.cells)  # says which cell holds the NUL
            of = people.get(key)
            values = people_differences.values_of(row, of, upload, today=today)
            row.effect, row.values["before"] = people_differences.compared(values, of, today=today)
        except ValueError as error:
            row.effect, row.problem = Effect.REFUSED, str(error)[:LONGEST_PROBLEM]
        yield row


def _clean(cell: str) -> str:
    """PostgreSQL stores no NUL, neither as text nor in JSON; the line is refused for it, and shown without."""
    return cell.replace("\0", "")


def _stored(row: PersonImportRow) -> tuple[Any, ...]:
    values: Any = row.values if connection.vendor == "postgresql" else json.dumps(row.values)
    return (row.upload_id, row.line, str(row.effect), row.key, values, row.problem, row.unknown_manager)


def _refuse_twins(upload: PersonImport) -> None:
    shared = upload.rows.exclude(key="").order_by().values("key").annotate(lines=Count("pk")).filter(lines__gt=1)
    twins = upload.rows.filter(key__in=shared.values("key")).exclude(effect=Effect.REFUSED)
    twins.update(effect=Effect.REFUSED, problem=TWINS)

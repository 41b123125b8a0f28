"""Read the uploaded file of an import into a preview. Nothing in the directory changes.

1. Delete the lines that an interrupted attempt has stored.
2. If a person has to say how the file is written, stop and ask: its encoding, which column is which, the order of its
   dates. They answer once; what they say of columns and dates is kept for the next file with the same headings.
3. Read the file line by line. Store each line with what it would change or why it is refused. Every batch of lines
   commits together with its progress.
4. Settle lines that share an employee number (`twins`). Mark lines whose manager is unknown, but do not refuse them.
5. Find the seats whose user would change, and the lines that overlap with somebody else.
6. Count the figures of the preview, including the people who are missing from the file. Delete the file itself, unless
   a person may still say otherwise how to read it.

If any line shows that the file cannot be read, even the last one, only the reason is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.lib import bulk, sql, stored_file
from samsaas.lib.spreadsheets import open_sheet
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people.imports import (
    differences as people_differences,
    file as people_file,
    questions,
    seats as import_seats,
    twins,
)
from subscriptions.people.imports.columns import KEY
from subscriptions.people.imports.file import Header, OrderUnknown, Record
from subscriptions.people.imports.parse_cells import find_left_out

ROWS = PersonImportRow._meta.db_table
COLUMNS = ("upload_id", "line", "effect", "key", "values", "problem", "unknown_manager")
LONGEST_PROBLEM = PersonImportRow._meta.get_field("problem").max_length or 0
Effect = PersonImportRow.Effect
REMEDY = "Correct the file and upload it again."


def run(job: Job, upload: PersonImport, *, now: datetime) -> None:
    """Store a preview, a question, or the reason why there is neither. Raises `LeaseLost` or `Canceled`."""
    with transaction.atomic():
        expected = open_sheet.guess_rows(stored_file.read_pieces(upload))
        job.progress(items=0, step="Reading the file", expected=expected)
        upload.rows.all().delete()
    try:
        with stored_file.open_pieces(upload) as file:
            header, lines, unsure = _read_lines(job, upload, file, timezone.localdate(now))
    except Unreadable as problem:
        return _refuse_file(job, upload, str(problem))
    except questions.Open as question:
        return questions.ask(job, upload, question)
    job.progress(step="Comparing with the directory", expected=lines)
    upload.counters = {**questions.describe(upload, header), "lines": lines, "unsure": unsure}
    _show_preview(job, upload, timezone.localdate(now))


def _read_lines(job: Job, upload: PersonImport, file: BinaryIO, today: date) -> tuple[Header, int, int]:
    """Store the lines. Gives the header, how many there are, and how many of the refused ones may hide a person.

    Raises `Unreadable`, or `questions.Open` where a person has to say something first.
    """
    layout = questions.settle_encoding(upload, file)
    header, records = people_file.read(file, layout, remember=questions.remembered_columns)
    questions.settle_columns(header)
    try:
        lines, unsure = _store_lines(job, upload, records, today)
    except OrderUnknown:
        layout = questions.settle_dates(file, layout, header)
        upload.rows.all().delete()
        header, records = people_file.read(file, layout, remember=questions.remembered_columns)
        lines, unsure = _store_lines(job, upload, records, today)
    if not lines:
        raise Unreadable("The file has no line below its header.")
    return header, lines, unsure


def _show_preview(job: Job, upload: PersonImport, today: date) -> None:
    with transaction.atomic():
        PersonImport.objects.get_locked(upload.pk)  # locked before its lines, in the same order as discarding it
        upload.counters["repeated"] = twins.settle(upload)
        people_differences.mark_unknown_managers(upload)
        upload.counters = people_differences.count_figures(upload)
        job.progress(step="Comparing the users of subscriptions")
    with import_seats.found_effects(upload, today=today), transaction.atomic():
        PersonImport.objects.get_locked(upload.pk)
        import_seats.store_effects(upload, today=today)
        _end_reading(job, upload)


def _end_reading(job: Job, upload: PersonImport) -> None:
    upload.state = PersonImport.State.PREVIEW
    upload.save(update_fields=["state", "counters"])
    if not upload.counters["kept"]:
        upload.pieces.all().delete()
    counters = {name: upload.counters[name] for name in ("lines", *Effect.values)}
    if upload.mark_leavers:
        counters["leavers"] = upload.counters["leavers"]
    refused = counters[Effect.REFUSED.value]
    audit.record(job.run.requested_by, "uploaded people", upload, lines=counters["lines"], refused=refused)
    job.close(JobRun.State.SUCCEEDED, counters=counters)


@transaction.atomic
def _refuse_file(job: Job, upload: PersonImport, problem: str) -> None:
    PersonImport.objects.get_locked(upload.pk)
    upload.rows.all().delete()
    upload.pieces.all().delete()
    upload.state, upload.problem = PersonImport.State.UNREADABLE, problem
    upload.save(update_fields=["state", "problem"])
    job.close(JobRun.State.FAILED, error_kind="Unreadable", error_message=problem, error_remedy=REMEDY)


def compare_again(job: Job, upload: PersonImport, *, now: datetime) -> None:
    """Make the preview again from its stored lines, because the directory has changed. Call it in a transaction."""
    today, done = timezone.localdate(now), 0
    for batch in people_differences.read_batches(people_differences.accepted_lines(upload)):
        people = people_differences.find_known(row.key for row in batch)
        different = []
        for row in batch:
            known = people.get(row.key)
            values = people_differences.parse_line(row, known, upload, today=today)
            effect, before = people_differences.compare_line(values, known, today=today)
            if (effect, before) != (row.effect, row.values.get("before", {})):
                row.effect, row.values = effect, {**row.values, "before": before}
                different.append(row)
        PersonImportRow.objects.bulk_update(different, ["effect", "values"], batch_size=200)
        done += len(batch)
        job.show_progress(done)
    people_differences.mark_unknown_managers(upload)
    upload.counters = people_differences.count_figures(upload)
    with import_seats.found_effects(upload, today=today):
        import_seats.store_effects(upload, today=today)


def _store_lines(job: Job, upload: PersonImport, records: Iterator[Record], today: date) -> tuple[int, int]:
    """Store every line. Returns how many there are, and how many of the refused ones may hide a person."""
    lines = unsure = 0
    while batch := list(islice(records, people_differences.BATCH)):
        rows = list(_compare_records(upload, batch, today))
        unsure += sum(1 for row, record in zip(rows, batch, strict=True) if row.problem and record.unsure)
        with transaction.atomic():
            lines += bulk.load(connection, ROWS, COLUMNS, (_driver_row(row) for row in rows))
            job.progress(items=lines)
    sql.analyze(ROWS)  # otherwise the planner takes a hundred thousand new lines for a handful
    return lines, unsure


def _compare_records(upload: PersonImport, batch: Iterable[Record], today: date) -> Iterator[PersonImportRow]:
    longest = PersonImportRow._meta.get_field("key").max_length or 0
    people = people_differences.find_known(_without_nul(record.cells.get(KEY, "")) for record in batch)
    for record in batch:
        key = _without_nul(record.cells.get(KEY, ""))[:longest]
        cells = {column: _without_nul(cell) for column, cell in record.cells.items()}
        row = PersonImportRow(upload=upload, line=record.line, key=key, values={"cells": cells})
        try:
            if left_out := find_left_out(record, strict=upload.strict):
                row.values["left_out"] = {column: _without_nul(problem) for column, problem in left_out.items()}
            known = people.get(key)
            values = people_differences.parse_line(row, known, upload, today=today)
            row.effect, row.values["before"] = people_differences.compare_line(values, known, today=today)
        except ValueError as error:
            row.effect, row.problem = Effect.REFUSED, _without_nul(str(error))[:LONGEST_PROBLEM]
            if record.whole:
                row.values["whole"] = [_without_nul(cell) for cell in record.whole]
        yield row


def _without_nul(cell: str) -> str:
    """The cell without NUL characters, which PostgreSQL cannot store. A line with one is refused and shown without."""
    return cell.replace("\0", "")


def _driver_row(row: PersonImportRow) -> tuple[Any, ...]:
    values: Any = row.values if sql.is_postgresql() else json.dumps(row.values)
    return (row.upload_id, row.line, str(row.effect), row.key, values, row.problem, row.unknown_manager)

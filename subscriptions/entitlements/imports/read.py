"""Read the uploaded file of an import into a preview. Nothing is recorded.

1. Delete the lines that an earlier reading has stored.
2. Find out which column is which: as a person chose, or else as the headings say. If that is not clear, stop and let a
   person choose.
3. Read the file line by line. Store each line with the draft it would become or why it is refused. Every batch of lines
   commits together with its progress.
4. Add what a person should look at: terms that overlap, and currencies that differ. Count the figures of the preview.

If any line shows that the file cannot be read, even the last one, only the reason is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from django.db import transaction
from django.db.models import Count

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.lib import sql, stored_file
from samsaas.lib.spreadsheets import open_sheet
from samsaas.lib.spreadsheets.cells import show_cell
from samsaas.lib.spreadsheets.sheet import Row, SheetLimits, Unreadable
from subscriptions.entitlements.columns import TABLE
from subscriptions.entitlements.imports.compare_lines import Records, name_model
from subscriptions.entitlements.imports.parse_line import BadLine, FileWriting, parse_line
from subscriptions.file_columns.table import SAMPLES, Choice, describe_file
from subscriptions.models import EntitlementImport, EntitlementImportRow

LIMITS = SheetLimits(rows=50_000, columns=100)
BATCH, MOST_MISSING = 1000, 200
LONGEST = {field.name: field.max_length or 0 for field in EntitlementImportRow._meta.fields}
LONGEST_SHOWN = 5000
Effect = EntitlementImportRow.Effect
State = EntitlementImport.State
REMEDY = "Correct the file and upload it again."


def run(job: Job, upload: EntitlementImport, *, now: datetime) -> None:
    """Store a preview, a question for a person, or the reason why there is neither. Raises `LeaseLost`, `Canceled`."""
    with transaction.atomic():
        expected = open_sheet.guess_rows(stored_file.read_pieces(upload))
        job.progress(items=0, step="Reading the file", expected=expected)
        upload.rows.all().delete()
    try:
        with stored_file.open_pieces(upload) as file:
            sheet = open_sheet.run(file, LIMITS, known=TABLE.is_known, name=upload.sheet)
            rows = iter(sheet.records)
            first = list(islice(rows, SAMPLES))
            if not first:
                raise Unreadable("The file has no line below its header.")
            shown = describe_file(sheet, first)
            choice = _find_columns(upload, sheet.headings)
            if not choice.is_complete:
                return _ask_for_columns(job, upload, shown, choice)
            records = Records.read()
            _store_lines(job, upload, chain(first, rows), choice, records)
    except Unreadable as problem:
        return _refuse_file(job, upload, str(problem))
    _show_preview(job, upload, {**shown, "ignored": TABLE.list_unused(sheet.headings, choice)[:20]}, choice, records)


def _find_columns(upload: EntitlementImport, headings: list[str]) -> Choice:
    return TABLE.use_chosen(upload.columns, headings) if upload.columns else TABLE.read_headings(headings)


@transaction.atomic
def _ask_for_columns(job: Job, upload: EntitlementImport, shown: dict[str, Any], choice: Choice) -> None:
    EntitlementImport.objects.get_locked(upload.pk)
    question = {"missing_columns": choice.missing, "unclear": choice.unclear, "places": choice.places}
    upload.counters = {**shown, **question}
    upload.state, upload.problem = State.CHOOSING, ""
    upload.save(update_fields=["state", "counters", "problem"])
    job.close(JobRun.State.SUCCEEDED, counters={})


@transaction.atomic
def _refuse_file(job: Job, upload: EntitlementImport, problem: str) -> None:
    EntitlementImport.objects.get_locked(upload.pk)
    upload.rows.all().delete()
    upload.pieces.all().delete()
    upload.state, upload.problem = State.UNREADABLE, problem
    upload.save(update_fields=["state", "problem"])
    job.close(JobRun.State.FAILED, error_kind="Unreadable", error_message=problem, error_remedy=REMEDY)


def _store_lines(job: Job, upload: EntitlementImport, rows: Iterator[Row], choice: Choice, records: Records) -> None:
    lines, writing = 0, FileWriting(upload.decimal_sign, upload.date_order)
    while batch := list(islice(rows, BATCH)):
        with transaction.atomic():
            EntitlementImportRow.objects.bulk_create(_judge_rows(upload, batch, choice, records, writing))
            lines += len(batch)
            job.progress(items=lines)
    sql.analyze(EntitlementImportRow._meta.db_table)


def _judge_rows(
    upload: EntitlementImport, batch: Iterable[Row], choice: Choice, records: Records, writing: FileWriting
) -> Iterator[EntitlementImportRow]:
    for row in batch:
        cells = {key: row.cells[place] if place < len(row.cells) else "" for key, place in choice.places.items()}
        shown = {key: show_cell(cell)[:LONGEST_SHOWN] for key, cell in cells.items()}
        name = name_model(shown).replace("\0", "")[: LONGEST["name"]]
        judged = EntitlementImportRow(upload=upload, line=row.line, name=name, effect=Effect.NEW)
        judged.values = {"cells": shown}
        try:
            if row.misfit:
                raise BadLine(row.misfit)
            values = parse_line(cells, writing)
            if same := records.accept_line(row.line, values):
                judged.effect, judged.note = Effect.SAME, f"It is {same} already."
            else:
                judged.values["parsed"] = pack_values(values)
        except BadLine as bad:
            judged.effect, judged.problem = Effect.REFUSED, str(bad).replace("\0", "")[: LONGEST["problem"]]
        yield judged


def pack_values(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a line as JSON can hold them."""
    return {
        key: value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
        for key, value in values.items()
    }


@transaction.atomic
def _show_preview(job: Job, upload: EntitlementImport, shown: dict[str, Any], choice: Choice, records: Records) -> None:
    EntitlementImport.objects.get_locked(upload.pk)  # locked before its lines, in the same order as discarding it
    notes = records.list_notes()
    _store_notes(upload, notes)
    by_effect = dict(upload.rows.order_by().values_list("effect").annotate(Count("pk")))
    figures = {effect.value: by_effect.get(effect.value, 0) for effect in Effect}
    upload.counters = {
        **shown,
        **{"places": choice.places, "lines": sum(figures.values()), "notes": len(notes)},
        **{"missing_models": list(records.missing.values())[:MOST_MISSING], "missing": len(records.missing)},
        **figures,
    }
    upload.state = State.PREVIEW
    upload.save(update_fields=["state", "counters"])
    refused = figures[Effect.REFUSED.value]
    audit.record(job.run.requested_by, "uploaded entitlements", upload, lines=upload.counters["lines"], refused=refused)
    counted = {name: upload.counters[name] for name in ("lines", *Effect.values)}
    if upload.problem:  # the preview that was confirmed does not hold any more
        return job.close(JobRun.State.HELD, counters=counted, error_kind="Stale", error_message=upload.problem)
    job.close(JobRun.State.SUCCEEDED, counters=counted)


def _store_notes(upload: EntitlementImport, notes: dict[int, str]) -> None:
    lines = iter(sorted(notes))
    while batch := list(islice(lines, 500)):
        rows = list(upload.rows.filter(line__in=batch))
        for row in rows:
            row.note = notes[row.line][: LONGEST["note"]]
        EntitlementImportRow.objects.bulk_update(rows, ["note"], batch_size=200)

"""Read an uploaded file of people into a preview. Nothing in the directory changes.

1. Throw away previews nobody confirmed for a week: they hold personal data.
2. Read the file line by line and store, beside each line, what it would do or why it is refused.
3. Refuse lines that share an employee number: nobody can say which of them is right.
4. Count, among others whom the file leaves out.

One transaction: a file that turns out unreadable on its last line leaves nothing behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from samsaas import audit
from samsaas.lib import bulk
from subscriptions import people_differences, people_file
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people_file import KEY, Record, Unreadable

KEPT = timedelta(days=7)
ROWS = PersonImportRow._meta.db_table
COLUMNS = ("upload_id", "line", "effect", "key", "values", "problem")
Effect = PersonImportRow.Effect
TWINS = "Another line of the file has the same employee number."


@transaction.atomic
def run(file: BinaryIO, *, file_name: str, mark_leavers: bool, by: User, now: datetime) -> PersonImport:
    """A preview. Raises `people_file.Unreadable`; nothing is stored then."""
    _forget_old(now)
    header, records = people_file.read(file)
    upload = PersonImport.objects.create(
        file_name=_shown(file_name), mark_leavers=mark_leavers, uploaded_by=by, uploaded_at=now
    )
    lines, unsure = _load(upload, records, timezone.localdate(now))
    if not lines:
        raise Unreadable("The file has no line below its header.")
    _refuse_twins(upload)
    upload.counters = {"columns": header.known, "ignored": header.ignored, "lines": lines, "unsure": unsure}
    upload.counters = people_differences.counted(upload)
    upload.save()
    audit.record(by, "uploaded people", upload, lines=lines, refused=upload.counters[Effect.REFUSED.value])
    return upload


def refresh(upload: PersonImport, *, now: datetime) -> None:
    """Make the preview anew from its stored lines, because the directory has changed. Call it in a transaction."""
    for batch in people_differences.batches(people_differences.readable(upload)):
        people = people_differences.known(row.key for row in batch)
        different = []
        for row in batch:
            of = people.get(row.key)
            values = people_differences.values_of(row, of, today=timezone.localdate(now))
            effect, before = people_differences.compared(values, of)
            if (effect, before) != (row.effect, row.values.get("before", {})):
                row.effect, row.values = effect, {**row.values, "before": before}
                different.append(row)
        PersonImportRow.objects.bulk_update(different, ["effect", "values"], batch_size=200)
    upload.counters = people_differences.counted(upload)
    upload.save(update_fields=["counters"])


def _forget_old(now: datetime) -> None:
    old = PersonImport.objects.filter(state=PersonImport.State.PREVIEW, uploaded_at__lt=now - KEPT)
    for upload in old:
        upload.rows.all().delete()
        upload.state = PersonImport.State.DISCARDED
        upload.save(update_fields=["state"])


def _shown(file_name: str) -> str:
    return "".join(letter for letter in file_name if letter.isprintable())[-200:] or "people.csv"


def _load(upload: PersonImport, records: Iterator[Record], today: date) -> tuple[int, int]:
    """Store every line; gives how many there are, and how many of the refused may hide a person."""
    lines = unsure = 0
    while batch := list(islice(records, people_differences.BATCH)):
        rows = list(_rows(upload, batch, today))
        unsure += sum(1 for row, record in zip(rows, batch, strict=True) if row.problem and record.unsure)
        lines += bulk.load(connection, ROWS, COLUMNS, (_stored(row) for row in rows))
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
            values = people_differences.values_of(row, of, today=today)
            row.effect, row.values["before"] = people_differences.compared(values, of)
        except ValueError as error:
            row.effect, row.problem = Effect.REFUSED, str(error)[:300]
        yield row


def _clean(cell: str) -> str:
    """PostgreSQL stores no NUL, neither as text nor in JSON; the line is refused for it, and shown without."""
    return cell.replace("\0", "")


def _stored(row: PersonImportRow) -> tuple[Any, ...]:
    values: Any = row.values if connection.vendor == "postgresql" else json.dumps(row.values)
    return (row.upload_id, row.line, str(row.effect), row.key, values, row.problem)


def _refuse_twins(upload: PersonImport) -> None:
    shared = upload.rows.exclude(key="").order_by().values("key").annotate(lines=Count("pk")).filter(lines__gt=1)
    twins = upload.rows.filter(key__in=shared.values("key")).exclude(effect=Effect.REFUSED)
    twins.update(effect=Effect.REFUSED, problem=TWINS)

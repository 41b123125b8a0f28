"""Apply the confirmed preview of an import to the directory.

1. Compare every line with the directory once more, with the people locked. If anything differs from what the preview
   showed, nothing is written, the preview is made anew, and a person looks again.
2. Create the new people and update the changed ones by employee number, a batch at a time.
3. Where the file lists everybody, mark those it leaves out as leavers, as the guard or its confirmation allowed.
4. Keep the refused lines for the error file; drop the others. Ask for new matches everywhere.

One transaction, which ends the run as well: all of the file is applied, once, or none of it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.lib import bulk
from subscriptions import rematch
from subscriptions.models import Person, PersonAddress, PersonImport, PersonImportRow
from subscriptions.people.imports import differences as people_differences, read as stage_people
from subscriptions.people.imports.differences import ADDRESSES, Known
from subscriptions.people.imports.file import KEY, Values

Effect = PersonImportRow.Effect
WRITTEN = ("name", "department", "manager", "cost_center", "country", "left_on", "updated_at")
CHANGED = "The directory changed after this preview was made. Nothing was applied; look at it once more."
Step = tuple[PersonImportRow, Values, Known | None]


class Stale(Exception):
    """The directory is not as the preview showed it."""


def run(job: Job, upload: PersonImport, *, now: datetime) -> None:
    """Apply it, or show it once more. Raises `runs.LeaseLost` or `runs.Canceled`; nothing is applied then."""
    lines = upload.counters["lines"] - upload.counters[Effect.REFUSED.value]
    job.progress(items=0, expected=lines, step=f"Applying {lines:,} lines")
    try:
        with transaction.atomic():
            _apply(job, upload, now)
    except (Stale, IntegrityError):  # the other writer may have created the same person just now
        job.progress(step="The directory has changed: comparing once more")
        with transaction.atomic():
            _show_again(job, upload, now)


def _apply(job: Job, upload: PersonImport, now: datetime) -> None:
    today, done = timezone.localdate(now), 0
    if upload.mark_leavers:
        _mark_leavers(upload, today, now)
    for batch in people_differences.batches(people_differences.readable(upload)):
        _write(_checked(batch, upload, today), now)
        done += len(batch)
        job.show_progress(done)
    upload.rows.exclude(effect=Effect.REFUSED).delete()
    upload.state, upload.applied_at = PersonImport.State.APPLIED, now
    upload.save(update_fields=["state", "applied_at"])
    figures = {name: upload.counters.get(name, 0) for name in (*Effect.values, "leavers")}
    audit.record(job.run.requested_by, "imported people", upload, **figures)
    rematch.ask_everywhere(by=job.run.requested_by)
    counters = {"added": figures[Effect.NEW], "updated": figures[Effect.CHANGED], "back": figures[Effect.BACK]}
    counters |= {"left": figures["leavers"], "same": figures[Effect.SAME]}
    job.close(JobRun.State.SUCCEEDED, counters=counters, items=done)


def _show_again(job: Job, upload: PersonImport, now: datetime) -> None:
    stage_people.refresh(job, upload, now=now)
    upload.state, upload.problem = PersonImport.State.PREVIEW, CHANGED
    upload.save(update_fields=["state", "problem", "counters"])
    job.close(JobRun.State.HELD, error_kind="Stale", error_message=CHANGED)


def _mark_leavers(upload: PersonImport, today: date, now: datetime) -> None:
    marked = people_differences.missing(upload).update(left_on=today, updated_at=now)
    if marked != upload.counters["leavers"]:
        raise Stale


def _checked(batch: list[PersonImportRow], upload: PersonImport, today: date) -> list[Step]:
    people = people_differences.known((row.key for row in batch), lock=True)
    steps = []
    for row in batch:
        of = people.get(row.key)
        values = people_differences.values_of(row, of, upload, today=today)
        if people_differences.compared(values, of, today=today) != (row.effect, row.values["before"]):
            raise Stale
        if row.effect != Effect.SAME:
            steps.append((row, values, of))
    return steps


def _write(steps: list[Step], now: datetime) -> None:
    new = (_stored(values, now) for _, values, of in steps if not of)
    bulk.load(connection, Person._meta.db_table, ("key", *WRITTEN), new)
    # The changed rows exist and are locked; as an upsert, a thousand of them are one statement.
    Person.objects.bulk_create(
        [_changed(of.person, values) for _, values, of in steps if of],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=list(WRITTEN),
    )
    _write_addresses(steps)


def _stored(values: Values, now: datetime) -> tuple[Any, ...]:
    """A new person as the database's driver takes them."""
    person = Person(**values.fields)
    return (
        person.key,
        person.name,
        person.department,
        person.manager,
        person.cost_center,
        person.country,
        connection.ops.adapt_datefield_value(person.left_on),
        connection.ops.adapt_datetimefield_value(now),
    )


def _changed(person: Person, values: Values) -> Person:
    """The person as the file has them, as a row of its own without an id: it meets the stored one by its number."""
    kept = {name: getattr(person, name) for name in ("key", *WRITTEN)}
    return Person(**{**kept, **values.fields})


def _write_addresses(steps: list[Step]) -> None:
    numbers = [values.fields[KEY] for _, values, of in steps if not of and values.addresses]
    made = dict(Person.objects.filter(key__in=numbers).values_list("key", "pk"))
    gone: list[int] = []
    added: list[tuple[int, str]] = []
    for row, values, of in steps:
        addresses = values.addresses or []
        if of is None:
            added += [(made[values.fields[KEY]], address) for address in addresses]
        elif values.addresses is not None and ADDRESSES in row.values["before"]:
            gone += [pk for address, pk in of.held.items() if address not in addresses]
            added += [(of.person.pk, address) for address in addresses if address not in of.held]
    PersonAddress.objects.filter(pk__in=gone).delete()
    bulk.load(connection, PersonAddress._meta.db_table, ("person_id", "address"), added)

"""Apply the confirmed preview of an import to the directory.

1. Compare the users of seats again. If one would lose its user that the preview does not show, write nothing, make the
   preview again, and let a person look at it again.
2. If the file lists everybody, mark the people it does not list as leavers.
3. Lock the people and compare every line with the directory again. If anything differs, do as in step 1.
4. Create the new people and update the changed ones by employee number, batch by batch. An address that is taken off
   a person becomes a former one.
5. Keep the refused lines for the error file and delete the others. Request matching for all profiles.

This is one transaction, which also ends the run. So the whole file is applied once, or nothing of it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.lib import bulk, text_forms
from subscriptions import rematch
from subscriptions.models import FormerAddress, Person, PersonAddress, PersonImport, PersonImportRow
from subscriptions.people.imports import (
    differences as people_differences,
    questions,
    read as stage_people,
    seats as import_seats,
)
from subscriptions.people.imports.columns import KEY
from subscriptions.people.imports.differences import ADDRESSES, Known
from subscriptions.people.imports.parse_cells import Values

Effect = PersonImportRow.Effect
WRITTEN = ("name", "department", "manager", "cost_center", "country", "left_on", "updated_at", "compared_name")
NAME_FORM, KEY_FORM = (text_forms.form_of_column(Person, name) for name in ("compared_name", "compared_key"))
CHANGED = "The directory has changed since this preview was made. Nothing was applied. Look at the new preview."
Step = tuple[PersonImportRow, Values, Known | None]


class Stale(Exception):
    """The directory is no longer as the preview shows it."""


def run(job: Job, upload: PersonImport, *, now: datetime) -> None:
    """Apply the import or make its preview again.

    Raises `LeaseLost` or `Canceled`, and applies nothing then.
    """
    lines = upload.counters["lines"] - upload.counters[Effect.REFUSED.value]
    job.progress(items=0, expected=lines, step=f"Applying {lines:,} lines")
    try:
        with transaction.atomic():
            _apply_lines(job, upload, now)
    except (Stale, IntegrityError):  # another writer may have created the same person meanwhile
        job.progress(step="The directory has changed: comparing again")
        with transaction.atomic():
            _show_again(job, upload, now)


def _apply_lines(job: Job, upload: PersonImport, now: datetime) -> None:
    today, done = timezone.localdate(now), 0
    if import_seats.takes_others(upload, today=today):
        raise Stale
    if upload.mark_leavers:
        _mark_leavers(upload, today, now)
    for batch in people_differences.read_batches(people_differences.accepted_lines(upload)):
        _write_people(_check_batch(batch, upload, today), now, today)
        done += len(batch)
        job.show_progress(done)
    upload.rows.exclude(effect=Effect.REFUSED).delete()
    upload.pieces.all().delete()
    import_seats.forget_effects(upload)
    questions.forget_samples(upload)
    upload.state, upload.applied_at = PersonImport.State.APPLIED, now
    upload.save(update_fields=["state", "applied_at", "counters"])
    figures = {name: upload.counters.get(name, 0) for name in (*Effect.values, "leavers")}
    audit.record(job.run.requested_by, "imported people", upload, **figures)
    rematch.ask_everywhere(by=job.run.requested_by)
    counters = {"added": figures[Effect.NEW], "updated": figures[Effect.CHANGED], "back": figures[Effect.BACK]}
    counters |= {"left": figures["leavers"], "same": figures[Effect.SAME]}
    job.close(JobRun.State.SUCCEEDED, counters=counters, items=done)


def _show_again(job: Job, upload: PersonImport, now: datetime) -> None:
    stage_people.compare_again(job, upload, now=now)
    upload.state, upload.problem = PersonImport.State.PREVIEW, CHANGED
    upload.save(update_fields=["state", "problem", "counters"])
    job.close(JobRun.State.HELD, error_kind="Stale", error_message=CHANGED)


def _mark_leavers(upload: PersonImport, today: date, now: datetime) -> None:
    marked = people_differences.missing_people(upload).update(left_on=today, updated_at=now)
    if marked != upload.counters["leavers"]:
        raise Stale


def _check_batch(batch: list[PersonImportRow], upload: PersonImport, today: date) -> list[Step]:
    people = people_differences.find_known((row.key for row in batch), lock=True)
    steps = []
    for row in batch:
        known = people.get(row.key)
        values = people_differences.parse_line(row, known, upload, today=today)
        if people_differences.compare_line(values, known, today=today) != (row.effect, row.values["before"]):
            raise Stale
        if row.effect != Effect.SAME:
            steps.append((row, values, known))
    return steps


def _write_people(steps: list[Step], now: datetime, today: date) -> None:
    new = (_driver_row(values, now) for _, values, known in steps if not known)
    bulk.load(connection, Person._meta.db_table, ("key", *WRITTEN, "compared_key"), new)
    # These people exist and are locked. Written as an upsert, a thousand of them take one statement.
    Person.objects.bulk_create(
        [_changed_person(known.person, values) for _, values, known in steps if known],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=list(WRITTEN),
    )
    _write_addresses(steps, today)


def _driver_row(values: Values, now: datetime) -> tuple[Any, ...]:
    """A new person in the form the database's driver takes."""
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
        NAME_FORM(person.name),
        KEY_FORM(person.key),
    )


def _changed_person(person: Person, values: Values) -> Person:
    """The person with the values of the file, without an id: the upsert finds the stored row by the employee number."""
    kept = {name: getattr(person, name) for name in ("key", *WRITTEN)}
    return Person(**{**kept, **values.fields})


def _write_addresses(steps: list[Step], today: date) -> None:
    numbers = [values.fields[KEY] for _, values, known in steps if not known and values.addresses]
    made = dict(Person.objects.filter(key__in=numbers).values_list("key", "pk"))
    gone: list[tuple[int, int, str]] = []
    added: list[tuple[int, str]] = []
    for row, values, known in steps:
        addresses = values.addresses or []
        if known is None:
            added += [(made[values.fields[KEY]], address) for address in addresses]
        elif values.addresses is not None and ADDRESSES in row.values["before"]:
            gone += [(pk, known.person.pk, address) for address, pk in known.held.items() if address not in addresses]
            added += [(known.person.pk, address) for address in addresses if address not in known.held]
    PersonAddress.objects.filter(pk__in=[pk for pk, _, _ in gone]).delete()
    bulk.load(connection, PersonAddress._meta.db_table, ("person_id", "address"), added)
    _keep_former(gone, added, today)


def _keep_former(gone: list[tuple[int, int, str]], added: list[tuple[int, str]], today: date) -> None:
    """Addresses that are taken off become former ones; those that come back are none any more."""
    back = FormerAddress.objects.filter(person__in={person for person, _ in added})
    again = set(added)
    FormerAddress.objects.filter(
        pk__in=[pk for pk, *pair in back.values_list("pk", "person", "address") if tuple(pair) in again]
    ).delete()
    FormerAddress.objects.bulk_create(
        [FormerAddress(person_id=person, address=address, until=today) for _, person, address in gone],
        update_conflicts=True,
        unique_fields=["person", "address"],
        update_fields=["until"],
    )

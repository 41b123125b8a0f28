"""Apply a confirmed preview of people to the directory, or throw it away.

1. Compare every line with the directory once more, with the people locked. If anything differs from what the preview
   showed, nothing is written, the preview is made anew, and a person looks again.
2. Create the new people and update the changed ones by employee number, a batch at a time.
3. Where the file lists everybody, mark those it leaves out as leavers, within the guard or with its confirmation.
4. Keep the refused lines for the error file; drop the others. Ask for new matches everywhere.

One transaction: all of the file is applied, or none of it.
"""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from samsaas import audit
from subscriptions import match_people, people_differences, stage_people
from subscriptions.models import Person, PersonAddress, PersonImport, PersonImportRow
from subscriptions.people_differences import ADDRESSES, Known
from subscriptions.people_file import Values

Effect = PersonImportRow.Effect
WRITTEN = ("name", "department", "manager", "cost_centre", "country", "left_on", "updated_at")
Step = tuple[PersonImportRow, Values, Known | None]


class Over(Exception):
    """The preview was applied or thrown away already."""


class Stale(Exception):
    """The directory changed after the preview; the preview has been made anew and nothing was applied."""


class Unconfirmed(Exception):
    """The guard on leavers asks for a confirmation; the message says why."""


def run(upload_id: int, *, confirmed: bool, by: User, now: datetime) -> PersonImport:
    """Apply it. `confirmed` accepts the doubts about leavers. Raises `Over`, `Stale`, `Unconfirmed`."""
    try:
        with transaction.atomic():
            return _apply(_locked(upload_id), confirmed, by, now)
    except (Stale, IntegrityError) as error:  # the other writer may have created the same person just now
        with transaction.atomic():
            stage_people.refresh(_locked(upload_id), now=now)
        raise Stale from error


@transaction.atomic
def discard(upload_id: int, *, by: User) -> PersonImport:
    """Throw a preview away with its lines. Raises `Over`."""
    upload = _locked(upload_id)
    upload.rows.all().delete()
    upload.state = PersonImport.State.DISCARDED
    upload.save()
    audit.record(by, "threw away people", upload)
    return upload


def _locked(upload_id: int) -> PersonImport:
    upload = PersonImport.objects.select_for_update(of=("self",)).get(pk=upload_id)
    if upload.state != PersonImport.State.PREVIEW:
        raise Over
    return upload


def _apply(upload: PersonImport, confirmed: bool, by: User, now: datetime) -> PersonImport:
    today = timezone.localdate(now)
    if (doubts := people_differences.doubts(upload)) and not confirmed:
        raise Unconfirmed(" ".join(doubts))
    if upload.mark_leavers:
        _mark_leavers(upload, today, now)
    for batch in people_differences.batches(people_differences.readable(upload)):
        _write(_checked(batch, today))
    upload.rows.exclude(effect=Effect.REFUSED).delete()
    upload.state, upload.applied_at = PersonImport.State.APPLIED, now
    upload.save()
    figures = {name: upload.counters[name] for name in (*Effect.values, "leavers")}
    audit.record(by, "imported people", upload, **figures)
    match_people.ask_everywhere(by=by)
    return upload


def _mark_leavers(upload: PersonImport, today: date, now: datetime) -> None:
    marked = people_differences.missing(upload).update(left_on=today, updated_at=now)
    if marked != upload.counters["leavers"]:
        raise Stale


def _checked(batch: list[PersonImportRow], today: date) -> list[Step]:
    people = people_differences.known((row.key for row in batch), lock=True)
    steps = []
    for row in batch:
        of = people.get(row.key)
        values = people_differences.values_of(row, of, today=today)
        if people_differences.compared(values, of) != (row.effect, row.values["before"]):
            raise Stale
        if row.effect != Effect.SAME:
            steps.append((row, values, of))
    return steps


def _write(steps: list[Step]) -> None:
    new = [(Person(**values.fields), values.addresses or []) for _, values, of in steps if not of]
    Person.objects.bulk_create([person for person, _ in new])
    # The changed rows exist and are locked; as an upsert, a thousand of them are one statement.
    Person.objects.bulk_create(
        [_changed(of.person, values) for _, values, of in steps if of],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=list(WRITTEN),
    )
    _write_addresses(new, steps)


def _changed(person: Person, values: Values) -> Person:
    """The person as the file has them, as a row of its own without an id: it meets the stored one by its number."""
    kept = {name: getattr(person, name) for name in ("key", *WRITTEN)}
    return Person(**{**kept, **values.fields})


def _write_addresses(new: list[tuple[Person, list[str]]], steps: list[Step]) -> None:
    added = [PersonAddress(person=person, address=address) for person, addresses in new for address in addresses]
    gone: list[int] = []
    for row, values, of in steps:
        if of and values.addresses is not None and ADDRESSES in row.values["before"]:
            gone += [pk for address, pk in of.held.items() if address not in values.addresses]
            added += [PersonAddress(person=of.person, address=one) for one in values.addresses if one not in of.held]
    PersonAddress.objects.filter(pk__in=gone).delete()
    PersonAddress.objects.bulk_create(added)

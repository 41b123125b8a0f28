"""Import people: a worker reads the uploaded file, a person looks at the preview, and a worker applies it.

1. Reading: see `stage_people`. It ends as a preview, or as a file that cannot be read.
2. A person confirms the preview (`confirm`) or throws the file away (`discard`).
3. Applying: see `apply_people`. It ends as applied, or as a preview made anew.

Each step changes the import in the transaction that ends its run, so a worker that dies leaves the step to be done, or
done; a step that fails or is canceled leaves what a person can ask for again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from profiles.jobs import queue
from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from subscriptions.models import PersonImport
from subscriptions.people.imports import apply as apply_people, differences as people_differences, read as stage_people

IMPORT = "import_people"
State = PersonImport.State
STEPS = {State.READING: stage_people.run, State.APPLYING: apply_people.run}
OVER = "This file was applied or thrown away already."
AT_WORK = "This file is being read or applied already."


class Over(Exception):
    """There is nothing of that kind to do with the file any more; the message says why."""


class Unconfirmed(Exception):
    """The guard on leavers asks for a confirmation; the message says why."""


def run(job: Job, *, now: datetime) -> None:
    """Do the step that a person asked for. Raises `runs.LeaseLost` or `runs.Canceled`."""
    upload = PersonImport.objects.get(run=job.run.pk)
    STEPS[State(upload.state)](job, upload, now=now)


def confirm(upload_id: int, *, confirmed: bool, by: User) -> PersonImport:
    """Have the preview applied as it is shown. `confirmed` accepts the doubts about leavers.

    Raises `Over` or `Unconfirmed`; nothing is asked for then.
    """
    with _resting(upload_id) as upload:
        if not upload.waits:
            raise Over(OVER)
        if (doubts := people_differences.doubts(upload)) and not confirmed:
            raise Unconfirmed(" ".join(doubts))
        upload.state, upload.problem = State.APPLYING, ""
        ask(upload, by=by)
    return upload


def read_again(upload_id: int, *, by: User) -> PersonImport:
    """Have a file read whose reading broke off. Raises `Over`."""
    with _resting(upload_id) as upload:
        if not upload.broke_off:
            raise Over(OVER)
        ask(upload, by=by)
    return upload


def discard(upload_id: int, *, by: User) -> PersonImport:
    """Throw the file away, also while it is read. Raises `Over` when it is applied, being applied or gone."""
    with _resting(upload_id, unless=State.READING) as upload:
        if upload.at_work and upload.run:
            queue.cancel(upload.run, by=by)
        elif not (upload.waits or upload.broke_off):
            raise Over(OVER)
        forget(upload)
        audit.record(by, "threw away people", upload)
    return upload


def ask(upload: PersonImport, *, by: User) -> None:
    """Request the job of the import's state, and store both. Call it in a transaction. Raises `Over`."""
    upload.run, fresh = queue.request(queue.Request(IMPORT, JobRun.Trigger.MANUAL, subject=upload.pk, by=by))
    if not fresh:
        raise Over(AT_WORK)
    upload.save(update_fields=["run", "state", "problem"])


def forget(upload: PersonImport) -> None:
    """Nothing of the file stays but its name and its figures."""
    upload.pieces.all().delete()
    upload.rows.all().delete()
    upload.state = State.DISCARDED
    upload.save(update_fields=["state"])


@contextmanager
def _resting(upload_id: int, *, unless: str = "") -> Iterator[PersonImport]:
    """The import in a transaction, locked. Raises `Over` while a job works on it, `unless` it is in that state."""
    # Asked before as well: on SQLite the transaction could not even begin before a job at work has ended its own.
    _refuse_busy(PersonImport.objects.get(pk=upload_id), unless)
    with transaction.atomic():
        upload = PersonImport.objects.held(upload_id)
        _refuse_busy(upload, unless)
        yield upload


def _refuse_busy(upload: PersonImport, unless: str) -> None:
    if upload.at_work and upload.state != unless:
        raise Over(AT_WORK)

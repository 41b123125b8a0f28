"""Import people: a worker reads the uploaded file, a person looks at the preview, and a worker applies it.

1. Reading: see `read`. It ends with a preview, or with a file that cannot be read.
2. A person confirms the preview (`confirm`) or discards the file (`discard`).
3. Applying: see `apply`. It ends with an applied file, or with a new preview.

Each step changes the import in the transaction that ends its run. So if a worker dies, the step is either done or still
to be done. A step that fails or is canceled can be requested again.
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
from subscriptions.people.imports import (
    apply as apply_people,
    doubts as import_doubts,
    read as stage_people,
    seats as import_seats,
)

IMPORT = "import_people"
State = PersonImport.State
STEPS = {State.READING: stage_people.run, State.APPLYING: apply_people.run}
OVER = "This file was already applied or discarded."
AT_WORK = "This file is already being read or applied."


class Over(Exception):
    """The step is not possible in the present state of the import. The message says why."""


class Unconfirmed(Exception):
    """What the file would do needs a second tick. The message says why."""


def run(job: Job, *, now: datetime) -> None:
    """Do the step that the import's state asks for. Raises `LeaseLost` or `Canceled`."""
    upload = PersonImport.objects.get(run=job.run.pk)
    STEPS[State(upload.state)](job, upload, now=now)


def confirm(upload_id: int, *, confirmed: bool, by: User) -> PersonImport:
    """Request a run that applies the preview as it is shown. `confirmed` accepts what there is to confirm.

    Raises `Over` or `Unconfirmed`, and requests nothing then.
    """
    with _lock_idle_import(upload_id) as upload:
        if not upload.waits:
            raise Over(OVER)
        if (doubts := import_doubts.list_doubts(upload)) and not confirmed:
            raise Unconfirmed(" ".join(doubts))
        upload.state, upload.problem = State.APPLYING, ""
        request_run(upload, by=by)
    return upload


def read_again(upload_id: int, *, by: User) -> PersonImport:
    """Request a run that reads the file again after its reading was interrupted. Raises `Over`."""
    with _lock_idle_import(upload_id) as upload:
        if not upload.broke_off:
            raise Over(OVER)
        request_run(upload, by=by)
    return upload


def discard(upload_id: int, *, by: User) -> PersonImport:
    """Discard the file, also while it is being read. Raises `Over` if it is applied, being applied or discarded."""
    with _lock_idle_import(upload_id, unless=State.READING) as upload:
        if upload.at_work and upload.run:
            queue.cancel(upload.run, by=by)
        elif not (upload.waits or upload.broke_off):
            raise Over(OVER)
        forget_content(upload)
        audit.record(by, "discarded people", upload)
    return upload


def request_run(upload: PersonImport, *, by: User) -> None:
    """Request the run that the import's state needs, and store both. Call it in a transaction. Raises `Over`."""
    upload.run, fresh = queue.request(queue.Request(IMPORT, JobRun.Trigger.MANUAL, subject=upload.pk, by=by))
    if not fresh:
        raise Over(AT_WORK)
    upload.save(update_fields=["run", "state", "problem"])


def forget_content(upload: PersonImport) -> None:
    """Delete the content of the file. Its name and its figures are kept."""
    upload.pieces.all().delete()
    upload.rows.all().delete()
    import_seats.forget_effects(upload)
    upload.state = State.DISCARDED
    upload.save(update_fields=["state"])


@contextmanager
def _lock_idle_import(upload_id: int, *, unless: str = "") -> Iterator[PersonImport]:
    """The import, locked, in a transaction. Raises `Over` while a job works on it, `unless` it is in that state."""
    # Checked first without a lock: on SQLite our transaction would wait until a job at work has ended its own.
    _refuse_busy(PersonImport.objects.get(pk=upload_id), unless)
    with transaction.atomic():
        upload = PersonImport.objects.get_locked(upload_id)
        _refuse_busy(upload, unless)
        yield upload


def _refuse_busy(upload: PersonImport, unless: str) -> None:
    if upload.at_work and upload.state != unless:
        raise Over(AT_WORK)

"""Import people: a worker reads the uploaded file, a person looks at the preview, and a worker applies it.

1. Reading: see `read`. It ends with a preview, with a question, or with a file that cannot be read.
2. A person answers (`choose`), which reads the file again; confirms the preview (`confirm`); or discards the file
   (`discard`).
3. Applying: see `apply`. It ends with an applied file, or with a new preview.

What is the same for every import of a file is in `subscriptions.file_imports`.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from profiles.jobs import queue
from profiles.jobs.job import Job
from samsaas import audit
from subscriptions import file_imports
from subscriptions.file_imports import OVER, Over, Unconfirmed
from subscriptions.models import PersonImport
from subscriptions.people.imports import (
    apply as apply_people,
    doubts as import_doubts,
    questions,
    read as stage_people,
    seats as import_seats,
)
from subscriptions.people.imports.file import Layout

IMPORT = "import_people"
State = PersonImport.State
STEPS = {State.READING: stage_people.run, State.APPLYING: apply_people.run}


def run(job: Job, *, now: datetime) -> None:
    """Do the step that the import's state asks for. Raises `LeaseLost` or `Canceled`."""
    upload = PersonImport.objects.get(run=job.run.pk)
    STEPS[State(upload.state)](job, upload, now=now)


def confirm(upload_id: int, *, confirmed: bool, by: User | None) -> PersonImport:
    """Request a run that applies the preview as it is shown. `confirmed` accepts what there is to confirm.

    Raises `Over` or `Unconfirmed`, and requests nothing then.
    """
    with file_imports.lock_idle_import(PersonImport, upload_id) as upload:
        if not upload.waits:
            raise Over(OVER)
        if (doubts := import_doubts.list_doubts(upload)) and not confirmed:
            raise Unconfirmed(" ".join(doubts))
        upload.state, upload.problem = State.APPLYING, ""
        request_run(upload, by=by)
    return upload


def choose(upload_id: int, layout: Layout, *, by: User) -> PersonImport:
    """Request a run that reads the file again in this way, and keep it for files with the same headings. Raises `Over`.

    Without a column, because another sheet was chosen, its headings say again which is which.
    """
    with file_imports.lock_idle_import(PersonImport, upload_id) as upload:
        if not upload.can_choose:
            raise Over(OVER)
        headings = upload.counters.get("headings")
        upload.columns, upload.sheet = dict(layout.columns), layout.sheet
        upload.encoding, upload.date_order = layout.encoding, layout.date_order
        if headings and upload.columns:
            questions.remember(headings, upload.columns, upload.date_order)
        upload.state, upload.problem = State.READING, ""
        request_run(upload, by=by)
        audit.record(by, "chose columns of people", upload)
    return upload


def read_again(upload_id: int, *, by: User) -> PersonImport:
    """Request a run that reads the file again after its reading was interrupted. Raises `Over`."""
    with file_imports.lock_idle_import(PersonImport, upload_id) as upload:
        if not upload.broke_off:
            raise Over(OVER)
        request_run(upload, by=by)
    return upload


def discard(upload_id: int, *, by: User) -> PersonImport:
    """Discard the file, also while it is being read. Raises `Over` if it is applied, being applied or discarded."""
    with file_imports.lock_idle_import(PersonImport, upload_id, unless=State.READING) as upload:
        if upload.at_work and upload.run:
            queue.cancel(upload.run, by=by)
        elif not (upload.waits or upload.broke_off or upload.can_choose):
            raise Over(OVER)
        forget_content(upload)
        audit.record(by, "discarded people", upload)
    return upload


def request_run(upload: PersonImport, *, by: User | None) -> None:
    """Request the run that the import's state needs, and store both. Call it in a transaction. Raises `Over`."""
    file_imports.request_run(upload, IMPORT, by=by)


def forget_content(upload: PersonImport) -> None:
    """Delete the content of the file. Its name and its figures are kept."""
    upload.pieces.all().delete()
    upload.rows.all().delete()
    import_seats.forget_effects(upload)
    questions.forget_samples(upload)
    upload.state = State.DISCARDED
    upload.save(update_fields=["state", "counters"])

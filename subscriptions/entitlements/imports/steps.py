"""Import entitlements: a worker reads the file, a person looks at the preview, and a worker records the drafts.

1. Reading: see `read`. It ends with a preview, with a question which column is which, or with a file that cannot be
   read.
2. A person chooses the columns (`choose`), which reads the file again; confirms the preview (`confirm`); or discards
   the file.
3. Applying: see `apply`. It ends with an applied file, or with a new preview.

What is the same for every import of a file is in `subscriptions.file_imports`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import BinaryIO

from django.contrib.auth.models import User
from django.db import transaction

from profiles.jobs import queue
from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas import audit
from samsaas.lib import stored_file
from subscriptions import file_imports
from subscriptions.entitlements.imports import apply as apply_file, read as read_file
from subscriptions.file_imports import OVER, Over, Unconfirmed
from subscriptions.models import EntitlementImport

IMPORT = "import_entitlements"
State = EntitlementImport.State
STEPS = {State.READING: read_file.run, State.APPLYING: apply_file.run}
KEEP_UNCONFIRMED = timedelta(days=7)
WAITING = (State.READING, State.CHOOSING, State.PREVIEW, State.APPLYING)
REFUSED_LINES = (
    "Some lines are refused, and nothing is imported while one of them is. Mend them, or import the good lines."
)
MISSING_MODELS = "The file names software models that are not there. Confirm that they are created."


def run(job: Job, *, now: datetime) -> None:
    """Do the step that the import's state asks for. Raises `LeaseLost` or `Canceled`."""
    upload = EntitlementImport.objects.get(run=job.run.pk)
    STEPS[State(upload.state)](job, upload, now=now)


@transaction.atomic
def store_upload(file: BinaryIO, *, file_name: str, by: User, now: datetime) -> EntitlementImport:
    """The new import with its file, and a run that reads it. Files that nobody confirmed for a week are dropped."""
    discard_unconfirmed(now)
    name = file_imports.printable_name(file_name)
    upload = EntitlementImport.objects.create(file_name=name, uploaded_by=by, uploaded_at=now)
    stored_file.store_pieces(upload, file)
    file_imports.request_run(upload, IMPORT, by=by)
    return upload


def choose(
    upload_id: int, columns: Mapping[str, int], *, sheet: str, date_order: str, decimal_sign: str, by: User
) -> EntitlementImport:
    """Request a run that reads the file again with these columns. Raises `Over`.

    Without a column, because another sheet was chosen, its headings say again which is which.
    """
    with file_imports.lock_idle_import(EntitlementImport, upload_id) as upload:
        if not upload.can_choose:
            raise Over(OVER)
        upload.columns, upload.sheet = dict(columns), sheet
        upload.date_order, upload.decimal_sign = date_order, decimal_sign
        upload.state, upload.problem = State.READING, ""
        file_imports.request_run(upload, IMPORT, by=by)
    return upload


def confirm(upload_id: int, *, good_lines: bool, make_models: bool, by: User) -> EntitlementImport:
    """Request a run that records the preview as it is shown.

    `good_lines` leaves refused lines out, `make_models` creates missing software models. Raises `Over` or
    `Unconfirmed`, and requests nothing then.
    """
    with file_imports.lock_idle_import(EntitlementImport, upload_id) as upload:
        if not upload.waits or not upload.would_change:
            raise Over(OVER)
        if upload.counters["refused"] and not good_lines:
            raise Unconfirmed(REFUSED_LINES)
        if upload.counters["missing"] and not make_models:
            raise Unconfirmed(MISSING_MODELS)
        upload.state, upload.problem, upload.good_lines = State.APPLYING, "", good_lines
        file_imports.request_run(upload, IMPORT, by=by)
    return upload


def read_again(upload_id: int, *, by: User) -> EntitlementImport:
    """Request a run that reads the file again after its reading was interrupted. Raises `Over`."""
    with file_imports.lock_idle_import(EntitlementImport, upload_id) as upload:
        if not upload.broke_off:
            raise Over(OVER)
        file_imports.request_run(upload, IMPORT, by=by)
    return upload


def discard(upload_id: int, *, by: User) -> EntitlementImport:
    """Discard the file, also while it is being read. Raises `Over` if it is applied, being applied or discarded."""
    with file_imports.lock_idle_import(EntitlementImport, upload_id, unless=State.READING) as upload:
        if upload.at_work and upload.run:
            queue.cancel(upload.run, by=by)
        elif not (upload.can_choose or upload.broke_off):
            raise Over(OVER)
        forget_content(upload)
        audit.record(by, "discarded entitlements", upload)
    return upload


def forget_content(upload: EntitlementImport) -> None:
    """Delete the content of the file. Its name and its figures are kept."""
    upload.pieces.all().delete()
    upload.rows.all().delete()
    upload.state = State.DISCARDED
    upload.save(update_fields=["state"])


def discard_unconfirmed(now: datetime) -> int:
    """Discard the files that nobody has confirmed for so long. Returns how many."""
    old = EntitlementImport.objects.old_ones(now - KEEP_UNCONFIRMED, WAITING, JobRun.ACTIVE)
    return sum(_discard_import(pk) for pk in old.values_list("pk", flat=True))


@transaction.atomic
def _discard_import(upload_id: int) -> bool:
    upload = EntitlementImport.objects.get_locked(upload_id)
    if upload.at_work or not (upload.can_choose or upload.broke_off):
        return False
    forget_content(upload)
    return True

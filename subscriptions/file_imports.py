"""What every import of a file does with its record: lock it, request its run, refuse what is not possible now.

Each step changes the import in the transaction that ends its run. So if a worker dies, the step is either done or still
to be done. A step that fails or is canceled can be requested again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import transaction

from profiles.jobs import queue
from profiles.models import JobRun
from subscriptions.models import FileImport

OVER = "This file was already applied or discarded."
AT_WORK = "This file is already being read or applied."
Upload = TypeVar("Upload", bound=FileImport)


class Over(Exception):
    """The step is not possible in the present state of the import. The message says why."""


class Unconfirmed(Exception):
    """What the file would do needs a second tick. The message says why."""


def request_run(upload: FileImport, process: str, *, by: User | None) -> None:
    """Request the run that the import's state needs, and store both. Call it in a transaction. Raises `Over`.

    Nobody asks for it where the file was fetched.
    """
    trigger = JobRun.Trigger.MANUAL if by else JobRun.Trigger.CHAIN
    upload.run, fresh = queue.request(queue.Request(process, trigger, subject=upload.pk, by=by))
    if not fresh:
        raise Over(AT_WORK)
    upload.save()


@contextmanager
def lock_idle_import(kind: type[Upload], upload_id: int, *, unless: str = "") -> Iterator[Upload]:
    """The import, locked, in a transaction. Raises `Over` while a job works on it, `unless` it is in that state."""
    # Checked first without a lock: on SQLite our transaction would wait until a job at work has ended its own.
    refuse_busy(kind.objects.get(pk=upload_id), unless)
    with transaction.atomic():
        upload: Upload = kind.objects.get_locked(upload_id)
        refuse_busy(upload, unless)
        yield upload


def refuse_busy(upload: FileImport, unless: str) -> None:
    """Raises `Over` while a job works on the import, `unless` it is in that state."""
    if upload.at_work and upload.state != unless:
        raise Over(AT_WORK)


def printable_name(file_name: str) -> str:
    """The name of an uploaded file as it can be stored and shown."""
    return "".join(letter for letter in file_name if letter.isprintable())[-200:] or "file"

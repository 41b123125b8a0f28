"""Store an uploaded file of people and request the run that reads it.

1. Discard files that nobody has confirmed for a week, because they hold personal data.
2. Store the file as it is, and request a run that reads it into a preview.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import BinaryIO

from django.contrib.auth.models import User
from django.db import transaction

from profiles.models import JobRun
from subscriptions.models import PersonImport
from subscriptions.people.imports import steps as import_people, stored_file

KEPT = timedelta(days=7)
State = PersonImport.State


@transaction.atomic
def run(file: BinaryIO, *, file_name: str, mark_leavers: bool, by: User, now: datetime) -> PersonImport:
    """The new import, with its run requested."""
    forget_old(now)
    upload = PersonImport.objects.create(
        file_name=_printable_name(file_name), mark_leavers=mark_leavers, uploaded_by=by, uploaded_at=now
    )
    stored_file.store_pieces(upload, file)
    import_people.request_run(upload, by=by)
    return upload


def forget_old(now: datetime) -> int:
    """Discard files that nobody has confirmed for a week. Returns how many."""
    waiting = PersonImport.objects.filter(state__in=(State.READING, State.PREVIEW, State.APPLYING))
    old = waiting.filter(uploaded_at__lt=now - KEPT).exclude(run__state__in=JobRun.ACTIVE)
    return sum(_forget_import(pk) for pk in old.values_list("pk", flat=True))


@transaction.atomic
def _forget_import(upload_id: int) -> bool:
    upload = PersonImport.objects.get_locked(upload_id)
    if upload.at_work or not (upload.waits or upload.broke_off):
        return False
    import_people.forget_content(upload)
    return True


def _printable_name(file_name: str) -> str:
    return "".join(letter for letter in file_name if letter.isprintable())[-200:] or "people.csv"

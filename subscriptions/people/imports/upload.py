"""Store an uploaded file of people and request the run that reads it.

1. Discard files that nobody has confirmed for a week, because they hold personal data.
2. Store the file as it is, and request a run that reads it into a preview.
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

from django.contrib.auth.models import User
from django.db import transaction

from samsaas.lib import stored_file
from subscriptions import file_imports
from subscriptions.models import PersonImport
from subscriptions.people.imports import retention, steps as import_people


@transaction.atomic
def run(
    file: BinaryIO, *, file_name: str, mark_leavers: bool, by: User | None, now: datetime, strict: bool = False
) -> PersonImport:
    """The new import, with its run requested. By nobody: it was fetched.

    `strict`: a cell that cannot be read costs its line.
    """
    retention.discard_unconfirmed(now)
    upload = PersonImport.objects.create(
        file_name=file_imports.printable_name(file_name),
        mark_leavers=mark_leavers,
        strict=strict,
        fetched=by is None,
        uploaded_by=by,
        uploaded_at=now,
    )
    stored_file.store_pieces(upload, file)
    import_people.request_run(upload, by=by)
    return upload

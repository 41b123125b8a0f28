"""How long an uploaded file of people is kept.

The file itself goes as soon as it is read. The lines that were read go when it is discarded; when it is applied, all
but the refused ones go. A file that nobody confirms is discarded after a week, because it holds personal data. The
sweep and every upload see to it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from profiles.models import JobRun
from subscriptions.models import PersonImport
from subscriptions.people.imports import steps as import_people

KEEP_UNCONFIRMED = timedelta(days=7)
State = PersonImport.State


def discard_unconfirmed(now: datetime) -> int:
    """Discard the files that nobody has confirmed for so long. Returns how many."""
    waiting = PersonImport.objects.filter(state__in=(State.READING, State.CHOOSING, State.PREVIEW, State.APPLYING))
    old = waiting.filter(uploaded_at__lt=now - KEEP_UNCONFIRMED).exclude(run__state__in=JobRun.ACTIVE)
    return sum(_discard_import(pk) for pk in old.values_list("pk", flat=True))


@transaction.atomic
def _discard_import(upload_id: int) -> bool:
    upload = PersonImport.objects.get_locked(upload_id)
    if upload.at_work or not (upload.waits or upload.broke_off or upload.can_choose):
        return False
    import_people.forget_content(upload)
    return True

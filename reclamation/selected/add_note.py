"""Add one note to each of several candidates, with a line in the audit trail. Notes are never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from reclamation.models import CandidateNote, RemovalCandidate
from samsaas import audit
from samsaas.lib.bulk import in_slices

BATCH = 500


def run(keys: Sequence[int], *, text: str, by: User, now: datetime) -> int:
    """Returns how many candidates got the note."""
    return sum(_note_batch(batch, text, by, now) for batch in in_slices(keys, BATCH))


@transaction.atomic
def _note_batch(keys: Sequence[int], text: str, by: User, now: datetime) -> int:
    found = list(RemovalCandidate.objects.filter(pk__in=keys).order_by("pk"))
    CandidateNote.objects.bulk_create(CandidateNote(candidate=one, by=by, at=now, text=text) for one in found)
    audit.record_many(by, "added note to removal candidate", ((one, {"note": text}) for one in found))
    return len(found)

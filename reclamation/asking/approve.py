"""Ask an approver about a candidate."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from reclamation import workflow
from reclamation.models import Approval, RemovalCandidate

DUE = timedelta(days=14)


@transaction.atomic
def ask(candidate: RemovalCandidate, question: str, *, now: datetime) -> Approval:
    """Open the question and move the candidate to Awaiting Approval. Raises `workflow.NotAllowed`."""
    workflow.await_approval(candidate, by=None, now=now)
    return Approval.objects.create(candidate=candidate, question=question, asked_at=now, due_at=now + DUE)

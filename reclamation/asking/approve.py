"""Ask an approver about a candidate."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from reclamation import workflow
from reclamation.models import Approval, RemovalCandidate

ASKED = "An approver is asked whether it may be removed."
ANSWER_WITHIN = timedelta(days=14)


@transaction.atomic
def ask(candidate: RemovalCandidate, by: User | None, now: datetime) -> Approval:
    """Ask about a Ready candidate whose user is not asked: Awaiting Approval. Raises `workflow.NotAllowed`."""
    workflow.ask_approver(candidate, reason=ASKED, by=by, now=now)
    return Approval.objects.create(
        candidate=candidate, question=Approval.Question.REMOVAL, asked_at=now, due_at=now + ANSWER_WITHIN
    )

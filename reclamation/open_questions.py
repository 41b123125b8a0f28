"""End what candidates asked people, in the transaction in which they move on: mails, links and approvals die together.

A mail that is still queued is not sent. One that is being sent at this moment is not stopped; its link leads nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reclamation.models import Approval, Notice, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from samsaas.models import Mail

Kind = Notice.Kind
ENDS = {
    State.AWAITING_USER: (Kind.ASK, Kind.REMINDER),
    State.AWAITING_APPROVAL: (Kind.APPROVAL,),
}


def end(candidates: Sequence[RemovalCandidate], *, now: datetime) -> None:
    """End the questions of candidates that leave the state they were read in. A few statements for any number."""
    for state, kinds in ENDS.items():
        keys = [one.pk for one in candidates if one.state == state]
        if not keys:
            continue
        asked = Notice.objects.filter(candidate__in=keys, kind__in=kinds)
        outbox.withdraw(Mail.objects.filter(notice__in=asked))
        if state == State.AWAITING_APPROVAL:
            Approval.objects.filter(candidate__in=keys, at=None).update(at=now)

"""Mark a candidate whose user came back only after the question: notices alone keep some subscriptions in use."""

from __future__ import annotations

from datetime import datetime

from reclamation.models import Notice, RemovalCandidate
from samsaas.models import Mail


def mark(candidate: RemovalCandidate, used_at: datetime) -> bool:
    """Set `after_notice` if the use came within the notice period: after the question was sent, before its end."""
    sent = candidate.notices.filter(kind=Notice.Kind.ASK, mail__state=Mail.State.SENT, mail__sent_at__lte=used_at)
    in_time = candidate.deadline is None or used_at <= candidate.deadline
    if not (in_time and sent.exists()):
        return False
    return bool(RemovalCandidate.objects.filter(pk=candidate.pk).update(after_notice=True))

"""Delete mails that are old enough, with what the product kept of them. Called every hour.

Mails name people and say what was asked of them, so they are not kept for ever. A mail about a candidate that is not
decided yet stays, and so does one that may still be sent. The audit trail keeps how many went and of which days.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q
from django.utils import timezone

from reclamation.models import Notice
from samsaas import audit
from samsaas.models import Mail

AT_ONCE = 1000


def run(now: datetime) -> int:
    """Delete what was queued more than `MAIL_RETENTION_DAYS` days ago. Returns how many mails."""
    before = now - timedelta(days=settings.MAIL_RETENTION_DAYS)
    gone = 0
    while deleted := _delete_some(before):
        gone += deleted
    return gone


@transaction.atomic
def _delete_some(before: datetime) -> int:
    """The oldest, with an entry in the audit trail in the same transaction."""
    over = Q(notice=None) | Q(notice__candidate__closed_at__isnull=False)
    old = Mail.objects.filter(over, queued_at__lt=before).exclude(state=Mail.State.QUEUED)
    keys = list(old.order_by("queued_at", "pk").values_list("pk", flat=True)[:AT_ONCE])
    if not keys:
        return 0
    rows = Mail.objects.filter(pk__in=keys)
    span = rows.aggregate(oldest=Min("queued_at"), newest=Max("queued_at"))
    days = {name: timezone.localtime(moment).date().isoformat() for name, moment in span.items()}
    Notice.objects.filter(mail__in=keys).delete()
    rows.delete()
    audit.record(None, "purged mails", None, mails=len(keys), kept_days=settings.MAIL_RETENTION_DAYS, **days)
    return len(keys)

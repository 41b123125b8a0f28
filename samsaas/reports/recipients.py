"""Who may get a report, and the link by which they stop it.

The link is signed and not stored: it works as long as the recipient is on the list, and can do nothing else.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from samsaas import audit
from samsaas.lib import mail as letters, signed_link
from samsaas.models import ReportRecipient

SALT = "samsaas.reports.stop"
MOST = 50
NO_DOMAINS = "No domain may get reports yet. An operator names them in REPORT_DOMAINS."


def address_problem(address: str) -> str:
    """Why no report may go to this address; empty if it may."""
    if problem := letters.address_problem(address):
        return problem
    if not settings.REPORT_DOMAINS:
        return NO_DOMAINS
    if address.rpartition("@")[2].lower() not in settings.REPORT_DOMAINS:
        return f"Reports may only go to addresses of {', '.join(sorted(settings.REPORT_DOMAINS))}."
    return ""


def stop_url(recipient: ReportRecipient) -> str:
    return signed_link.write_url("report_stop", recipient.pk, recipient.address, salt=SALT)


def find(token: str) -> ReportRecipient | None:
    """Whose link it is; None of an altered one, and where the address is not on the list any more."""
    named, held = signed_link.read(token, salt=SALT), ReportRecipient.objects.select_related("report")
    return held.filter(pk=named[0], address=named[1]).first() if named else None


@transaction.atomic
def stop(recipient: ReportRecipient, now: datetime) -> None:
    """Send it there no more."""
    held = ReportRecipient.objects.filter(pk=recipient.pk, stopped_at=None)
    if held.update(stopped_at=now):
        audit.record(None, "stopped report", recipient.report, address=recipient.address, by="the link in the mail")

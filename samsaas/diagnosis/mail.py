"""Checks of mail: whether it can leave this installation, and whether what was written has left."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core.mail import get_connection
from django.utils import timezone

from samsaas import checks, outbox
from samsaas.diagnosis.findings import Check, Finding, error_line, fail, ok, warn
from samsaas.models import Mail

SECONDS = 5
LATELY = timedelta(days=7)
TOO_LONG = timedelta(minutes=15)
SET_ONE = "Set EMAIL_URL and MAIL_FROM: docs/deploying.md, Mail."


def mail_server() -> Iterator[Finding]:
    """The mail server answers, and lets us in. Without one, mails are only kept."""
    if not outbox.has_server():
        kept = "None (EMAIL_URL is not set): mails are kept in the outbox and reach nobody."
        yield ok("mail server", kept) if settings.KEPT_MAILS_COUNT else warn("mail server", kept, SET_ONE)
        return
    if problems := checks.mail_sender(None):
        for problem in problems:
            yield (fail if problem.is_serious() else warn)("mail server", problem.msg, problem.hint or "")
        if any(problem.is_serious() for problem in problems):
            return
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    server = get_connection(timeout=SECONDS)
    try:
        server.open()
        server.close()
    except (OSError, smtplib.SMTPException) as error:
        remedy = "Start the mail server, or correct EMAIL_URL. Until then mails wait, and fail when their time is over."
        yield fail("mail server", f"{place} cannot be used ({error_line(error)}).", remedy)
        return
    yield ok("mail server", f"{place} answers; mails come from {settings.DEFAULT_FROM_EMAIL}.")


def outbox_state() -> Iterator[Finding]:
    """Mails that are due leave, and none has failed lately."""
    now = timezone.now()
    queued = Mail.objects.filter(state=Mail.State.QUEUED, not_before__lt=now - TOO_LONG, tries=0)
    failed = Mail.objects.filter(state=Mail.State.FAILED, queued_at__gt=now - LATELY).count()
    if queued.exists() and outbox.first_moment(now) == now:
        remedy = "Look at worker, beat and mail server."
        yield fail("outbox", f"{queued.count()} mails are due, and nobody has tried to send them.", remedy)
    if failed:
        yield warn("outbox", f"{failed} mails failed in the last 7 days.", "Open the page Outbox: it says why.")
    if not failed and not queued.exists():
        yield ok("outbox", "No mail waits too long, and none failed in the last 7 days.")


CHECKS: tuple[Check, ...] = (mail_server, outbox_state)

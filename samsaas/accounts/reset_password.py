"""A lost password is set anew through a link by mail.

1. `ask` stores that somebody asked, whatever they typed. So the answer, and the time that it takes, are the same for
   every address.
2. `answer_requests`, before mails are sent every minute, looks for the accounts of what was typed and queues their
   mails. One address gets one mail in `ONCE_WITHIN`, however often it was asked for.
3. The link is Django's: signed, bound to the account and its present password, and over after `PASSWORD_RESET_TIMEOUT`.

Whoever has no password here, because another service signs them in, gets no mail.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from samsaas import audit, outbox
from samsaas.models import Mail, PasswordResetRequest

ONCE_WITHIN = timedelta(minutes=10)
AT_ONCE = 100


def ask(email: str, *, now: datetime) -> None:
    """Somebody wants a link for this address."""
    PasswordResetRequest.objects.create(email=email.strip()[:254], asked_at=now)


def answer_requests(now: datetime) -> int:
    """Queue the mails of what was asked for. Returns how many."""
    open_ones = PasswordResetRequest.objects.filter(answered_at=None).order_by("pk")
    return sum(_answer(pk, now) for pk in open_ones.values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def _answer(pk: int, now: datetime) -> int:
    asked = PasswordResetRequest.objects.select_for_update().filter(pk=pk, answered_at=None).first()
    if asked is None:
        return 0
    asked.answered_at = now
    asked.save(update_fields=["answered_at"])
    earlier = PasswordResetRequest.objects.filter(email__iexact=asked.email, answered_at__gt=now - ONCE_WITHIN)
    if earlier.exclude(pk=pk).exists():
        return 0
    return len([send_link(account, now=now) for account in accounts_with(asked.email)])


def accounts_with(email: str) -> list[User]:
    """The active accounts with this address that have a password here."""
    return [account for account in PasswordResetForm().get_users(email) if isinstance(account, User)]


def send_link(account: User, *, now: datetime) -> Mail:
    """Queue the mail with the link to the account's own address."""
    seconds: int = settings.PASSWORD_RESET_TIMEOUT
    place = [urlsafe_base64_encode(force_bytes(account.pk)), default_token_generator.make_token(account)]
    return outbox.queue(
        to=account.email,
        subject="Set a new password",
        body=render_to_string(
            "emails/password_reset.txt", {"account": account, "minutes": seconds // 60, "mark": outbox.LINK}
        ),
        secret=f"{settings.PUBLIC_URL}{reverse('password_reset_confirm', args=place)}",
        give_up_at=now + timedelta(seconds=seconds),
        any_hour=True,
        opens_account=True,
        now=now,
    )


@transaction.atomic
def send_for_admin(account: User, *, by: User, now: datetime) -> None:
    """An administrator lets somebody set a new password, without ever knowing it."""
    send_link(account, now=now)
    audit.record(by, "sent password link", account)

"""A lost password is set anew through a link by mail.

1. `ask` stores that somebody asked, whatever they typed. So the answer, and the time that it takes, are the same for
   every address.
2. `answer_requests`, before mails are sent every minute, looks for the accounts of what was typed and queues their
   mails. One address gets one mail in `ONCE_WITHIN`, however often it was asked for.
3. The link's token is stored as a hash, because a worker, which makes it, has no SECRET_KEY to sign one with. It is
   over after `VALID_FOR`, with the account's next sign-in, and with another password or address.

Whoever has no password here, because another service signs them in, gets no mail.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from samsaas import audit, outbox, sessions
from samsaas.accounts import invite
from samsaas.models import LocalAdministrator, Mail, PasswordLink, PasswordResetRequest

ONCE_WITHIN = timedelta(minutes=10)
VALID_FOR = timedelta(hours=1)
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
    """The active accounts with this address that may sign in with a password here."""
    found = [account for account in PasswordResetForm().get_users(email) if isinstance(account, User)]
    if not settings.SSO_ONLY:
        return found
    local = set(LocalAdministrator.objects.values_list("account_id", flat=True))
    return [account for account in found if account.pk in local]


def send_link(account: User, *, now: datetime) -> Mail:
    """Queue the mail with the link to the account's own address. Earlier links lead nowhere then."""
    token = token_urlsafe(32)
    PasswordLink.objects.filter(account=account).delete()
    PasswordLink.objects.create(
        account=account, token_hash=invite.hash_of(token), mark=_mark_of(account), expires_at=now + VALID_FOR
    )
    text = {"account": account, "minutes": int(VALID_FOR.total_seconds() // 60), "mark": outbox.LINK}
    return outbox.queue(
        to=account.email,
        subject="Set a new password",
        body=render_to_string("emails/password_reset.txt", text),
        secret=f"{settings.PUBLIC_URL}{reverse('password_reset_confirm', args=[token])}",
        give_up_at=now + VALID_FOR,
        any_hour=True,
        opens_account=True,
        now=now,
    )


def find_account(token: str, *, now: datetime) -> User | None:
    """The account that this link is for, while it holds."""
    if not invite.TOKEN.fullmatch(token):
        return None
    held = PasswordLink.objects.select_related("account").filter(token_hash=invite.hash_of(token), expires_at__gt=now)
    link = held.first()
    is_valid = link is not None and link.account.is_active and link.mark == _mark_of(link.account)
    return link.account if link and is_valid else None


@transaction.atomic
def set_password(token: str, password: str, *, now: datetime) -> User | None:
    """Set it, and end the link and the account's sessions. None if the link was used at this very moment."""
    account = find_account(token, now=now)
    if account is None or not PasswordLink.objects.filter(token_hash=invite.hash_of(token)).delete()[0]:
        return None
    account.set_password(password)
    account.save(update_fields=["password"])
    sessions.end_sessions(account)
    audit.record(account, "set password by link", account)
    return account


def _mark_of(account: User) -> str:
    """What ends a link when it changes. A mailbox that was given up opens nothing any more, so the address counts."""
    return invite.hash_of(f"{account.password} {account.last_login} {account.email}")


@transaction.atomic
def send_for_admin(account: User, *, by: User, now: datetime) -> None:
    """An administrator lets somebody set a new password, without ever knowing it."""
    send_link(account, now=now)
    audit.record(by, "sent password link", account)

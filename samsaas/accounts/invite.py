"""Invite a colleague by mail: a link that makes one account, once, and ends by itself.

1. `run` stores the invitation with the roles, and queues the mail. The token of its link is stored as a hash.
2. `send_again` makes a new link, and the former one leads nowhere. `withdraw` ends the link.
3. `accept` makes the account with the password that its owner chose. Of two at once, the second finds no invitation.

A link that is unknown, used, withdrawn or too old is one and the same to whoever opens it. So is one whose sender is no
administrator any more: whoever loses that right leaves no open door behind. Another administrator sends it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from samsaas import audit, outbox
from samsaas.accounts import access
from samsaas.accounts.edit import set_roles
from samsaas.models import Invitation, Mail

VALID_FOR = timedelta(days=7)
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class NotOpen(Exception):
    """The invitation was accepted or withdrawn meanwhile, or its time is over; nothing was written."""


@transaction.atomic
def run(email: str, username: str, roles: Iterable[str], *, by: User, now: datetime) -> Invitation:
    """Store the invitation and queue its mail. The form has checked that the name is free."""
    invitation = Invitation(email=email, username=username, roles=sorted(roles), invited_by=by, invited_at=now)
    _send(invitation, now)
    audit.record(by, "invited", invitation, username=username, roles=invitation.roles)
    return invitation


@transaction.atomic
def send_again(pk: int, *, by: User, now: datetime) -> Invitation:
    """Send a new link, also after the former one's time is over. Raises `NotOpen`."""
    invitation = _lock(Invitation.objects.filter(pk=pk), now=None)
    _end_mail(invitation)
    invitation.invited_by = by
    _send(invitation, now)
    audit.record(by, "sent invitation again", invitation)
    return invitation


@transaction.atomic
def withdraw(pk: int, *, by: User, now: datetime) -> Invitation:
    """End the link. Raises `NotOpen`."""
    invitation = _lock(Invitation.objects.filter(pk=pk), now=None)
    _end_mail(invitation)
    invitation.token_hash, invitation.withdrawn_at = None, now
    invitation.save()
    audit.record(by, "withdrew invitation", invitation)
    return invitation


def with_senders() -> QuerySet[Invitation]:
    """All invitations, with `has_sender`: whether the account that sent the link may still invite."""
    able = access.active_administrators().filter(pk=OuterRef("invited_by"))
    return Invitation.objects.select_related("invited_by").annotate(has_sender=Exists(able))


def find(token: str, *, now: datetime) -> Invitation | None:
    """The open invitation that this link belongs to."""
    if not TOKEN.fullmatch(token):
        return None
    return _with_link(token).filter(expires_at__gt=now).first()


@transaction.atomic
def accept(token: str, *, password: str, first_name: str, last_name: str, now: datetime) -> User:
    """Make the account with the roles of the invitation. Raises `NotOpen`, also where the name is taken by now."""
    access.lock_administrators()
    invitation = _lock(_with_link(token), now=now)
    if User.objects.filter(username=invitation.username).exists():
        raise NotOpen
    account = User.objects.create_user(
        invitation.username, invitation.email, password, first_name=first_name, last_name=last_name
    )
    set_roles(account, invitation.roles)
    _end_mail(invitation)
    invitation.token_hash, invitation.accepted_at, invitation.account = None, now, account
    invitation.save()
    audit.record(account, "accepted invitation", account, **access.access_of(account))
    return account


def _with_link(token: str) -> QuerySet[Invitation]:
    """The invitation with this link, if whoever sent it may still invite."""
    return Invitation.objects.filter(token_hash=hash_of(token), invited_by__in=access.active_administrators())


def _lock(invitations: QuerySet[Invitation], *, now: datetime | None) -> Invitation:
    """The open invitation, until the transaction's end. With `now`, one whose time is not over."""
    still = invitations.filter(accepted_at=None, withdrawn_at=None)
    found = (still.filter(expires_at__gt=now) if now else still).select_for_update().first()
    if found is None:
        raise NotOpen
    return found


def _send(invitation: Invitation, now: datetime) -> None:
    """A new link, and its mail."""
    token = token_urlsafe(32)
    invitation.token_hash, invitation.expires_at = hash_of(token), now + VALID_FOR
    invitation.mail = outbox.queue(
        to=invitation.email,
        subject="Your account for the software licenses",
        body=render_to_string("emails/invitation.txt", {"invitation": invitation, "mark": outbox.LINK}),
        secret=f"{settings.PUBLIC_URL}{reverse('invitation_accept', args=[token])}",
        give_up_at=invitation.expires_at,
        any_hour=True,
        opens_account=True,
        now=now,
    )
    invitation.save()


def _end_mail(invitation: Invitation) -> None:
    mails = Mail.objects.filter(pk=invitation.mail_id or 0)
    outbox.withdraw(mails)
    outbox.drop_secrets(mails)


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()

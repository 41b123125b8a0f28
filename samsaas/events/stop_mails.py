"""The link by which whoever gets mails about events stops them, without signing in.

It is signed and not stored: it works as long as the account has this address, and can do nothing else.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.urls import reverse

from samsaas import audit
from samsaas.events.kinds import KINDS, OFF
from samsaas.models import NotificationChoices

SALT = "samsaas.events.stop_mails"
NOTHING = dict.fromkeys(KINDS, OFF)


def write_url(user: User) -> str:
    """The link for this account and the address that it has now."""
    token = signing.dumps([user.pk, user.email], salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('notification_stop', args=[token])}"


def find(token: str) -> User | None:
    """Whose link it is; None of an altered one, and where the account has another address now."""
    try:
        pk, address = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return User.objects.filter(pk=pk, email=address).first()


def is_done(user: User) -> bool:
    """Whether the account gets no mail of any kind."""
    return NotificationChoices.objects.filter(user=user, by_kind=NOTHING).exists()


@transaction.atomic
def run(user: User) -> None:
    """No mail of any kind, until the account chooses otherwise."""
    NotificationChoices.objects.get_or_create(user=user)
    stored = NotificationChoices.objects.select_for_update().get(user=user)
    if stored.by_kind != NOTHING:
        stored.by_kind = NOTHING
        stored.save(update_fields=["by_kind"])
        audit.record(None, "stopped notification mails", user, by="the link in the mail")

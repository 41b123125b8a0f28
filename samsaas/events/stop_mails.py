"""The link by which whoever gets mails about events stops them, without signing in.

It is signed and not stored: it works as long as the account has this address, and can do nothing else.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit
from samsaas.events.kinds import EVERY, OFF
from samsaas.lib import signed_link
from samsaas.models import NotificationChoices

SALT = "samsaas.events.stop_mails"
NOTHING = {EVERY: OFF}


def write_url(user: User) -> str:
    """The link for this account and the address that it has now."""
    return signed_link.write_url("notification_stop", user.pk, user.email, salt=SALT)


def find(token: str) -> User | None:
    """Whose link it is; None of an altered one, and where the account has another address now."""
    named = signed_link.read(token, salt=SALT)
    return User.objects.filter(pk=named[0], email=named[1]).first() if named else None


def is_done(user: User) -> bool:
    """Whether the account gets no mail of any kind."""
    return NotificationChoices.objects.filter(user=user, by_kind=NOTHING).exists()


@transaction.atomic
def run(user: User) -> None:
    """No mail of any kind, also not of one that a later version adds, until the account chooses otherwise."""
    NotificationChoices.objects.get_or_create(user=user)
    stored = NotificationChoices.objects.select_for_update().get(user=user)
    if stored.by_kind != NOTHING:
        stored.by_kind = NOTHING
        stored.save(update_fields=["by_kind"])
        audit.record(None, "stopped notification mails", user, by="the link in the mail")

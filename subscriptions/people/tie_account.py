"""Tie a person of the directory to the account with which they sign in here. Only a person does this, by hand.

An e-mail address never does: whoever is given the address of somebody else would decide in their place.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from samsaas import audit
from subscriptions.models import Person


class AccountTaken(Exception):
    """The account is tied to another person; nothing was written."""


def free_accounts(person: Person) -> QuerySet[User]:
    """Active accounts that are nobody else's, and the person's own."""
    own = Q(person=None, is_active=True) | Q(person=person)
    return User.objects.filter(own).order_by("username")


@transaction.atomic
def run(person: Person, account: User | None, *, by: User) -> bool:
    """Tie the account to the person, or none. Whether that is a change. Raises `AccountTaken`."""
    locked = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if locked.account_id == (account.pk if account else None):
        return False
    before = locked.account.get_username() if locked.account else ""
    locked.account = account
    try:
        with transaction.atomic():
            locked.save(update_fields=["account", "updated_at"])
    except IntegrityError as error:
        raise AccountTaken from error
    after = account.get_username() if account else ""
    audit.record(by, "changed account of person", locked, before=before, after=after)
    return True

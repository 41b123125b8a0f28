"""Change an account: who it is for, its roles, whether it may sign in, and where it is signed in.

Each order is one transaction with its entry in the audit trail. Who loses access is signed out at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.db import transaction

from samsaas import audit, roles, sessions
from samsaas.accounts import access
from samsaas.models import LocalAdministrator

PERSON = ("first_name", "last_name", "email")


class OwnAccount(Exception):
    """Nobody ends their own access; nothing was written."""


@transaction.atomic
def change(pk: int, data: dict[str, Any], *, by: User) -> User:
    """Store person, roles and, where the form has it, the superuser's mark. Raises `LastAdministrator`."""
    access.lock_administrators()
    account = User.objects.select_for_update().get(pk=pk)
    before = access.access_of(account), access.person_of(account)
    for field in (*PERSON, "is_superuser"):
        setattr(account, field, data.get(field, getattr(account, field)))
    account.save(update_fields=[*PERSON, "is_superuser"])
    set_roles(account, (group.name for group in data["groups"]))
    access.keep_administrator()
    record_changes(account, *before, by=by)
    return account


def set_roles(account: User, names: Iterable[str]) -> None:
    """Give the account these roles and no others. Groups that are no roles stay."""
    given, wanted = account.groups.filter(name__in=access.MEANINGS), set(names)
    account.groups.remove(*given.exclude(name__in=wanted))
    account.groups.add(*Group.objects.filter(name__in=wanted & access.MEANINGS.keys()))


def record_changes(
    account: User, access_before: dict[str, Any], person_before: dict[str, str], *, by: User | None
) -> None:
    """The entries of what is different now."""
    if changes := access.differences(access_before, access.access_of(account)):
        audit.record(by, "changed access", account, **changes)
    if changes := access.differences(person_before, access.person_of(account)):
        audit.record(by, "changed account", account, **changes)


@transaction.atomic
def deactivate(pk: int, *, by: User | None) -> User:
    """End the account's access and its sessions. Raises `LastAdministrator` or `OwnAccount`."""
    access.lock_administrators()
    account = User.objects.select_for_update().get(pk=pk)
    if by is not None and account.pk == by.pk:
        raise OwnAccount
    if account.is_active:
        before = access.access_of(account)
        account.is_active = False
        account.save(update_fields=["is_active"])
        access.keep_administrator()
        audit.record(by, "changed access", account, **access.differences(before, access.access_of(account)))
    sessions.end_sessions(account)
    return account


@transaction.atomic
def activate(pk: int, *, by: User) -> User:
    """Let the account sign in again, with the roles that it had."""
    access.lock_administrators()
    account = User.objects.select_for_update().get(pk=pk)
    if not account.is_active:
        account.is_active = True
        account.save(update_fields=["is_active"])
        audit.record(by, "changed access", account, active={"before": False, "after": True})
    return account


@transaction.atomic
def sign_out_everywhere(account: User, *, by: User, except_key: str | None = None) -> int:
    """End the account's sessions. Returns how many there were."""
    ended = sessions.end_sessions(account, except_key=except_key)
    audit.record(by, "signed out everywhere", account, sessions=ended, kept_own=except_key is not None)
    return ended


@transaction.atomic
def remove_factors(account: User, *, by: User) -> int:
    """Take the account's second factors off, for somebody who lost them. Its sessions end. Returns how many."""
    removed = Authenticator.objects.filter(user=account).delete()[0]
    sessions.end_sessions(account)
    audit.record(by, "removed second factors", account, factors=removed)
    return removed


def check_name(name: str) -> None:
    """Raises `ValidationError` where no account can have this user name."""
    User._meta.get_field("username").run_validators(name)


@transaction.atomic
def make_local_admin(name: str, password: str, *, run_by: dict[str, str], now: datetime) -> bool:
    """An active account of this name with the role admin and this password. Returns whether it is new.

    It may sign in with the password also where only single sign-on is left.
    """
    access.lock_administrators()
    account, is_new = User.objects.get_or_create(username=name)
    before = access.access_of(account)
    account.is_active = True
    account.set_password(password)
    account.save()
    account.groups.add(Group.objects.get(name=roles.ADMIN))
    LocalAdministrator.objects.get_or_create(account=account, defaults={"since": now})
    sessions.end_sessions(account)
    changes = {"created": is_new, **access.differences(before, access.access_of(account))}
    audit.record(None, "made local administrator", account, **changes, **run_by)
    return is_new

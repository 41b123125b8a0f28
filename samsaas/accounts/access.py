"""What an account may do and who it is for, and the rule that one administrator always stays.

Whoever changes access calls `lock_administrators` first, in the transaction of the change, and `keep_administrator`
after it: of two administrators who deactivate each other at the same moment the second sees what the first has done.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet

from samsaas import roles

MEANINGS = {
    roles.ADMIN: "everything, accounts and their roles included",
    roles.SAM_INTEGRATOR: "integration profiles, connections, tokens, scheduled jobs and resolution rules; "
    "sees everything else",
    roles.SAM_ADMIN: "people and their import, matches, identifiers, software models, exclusion rules, removal "
    "candidates and the audit trail; sees everything else",
    roles.SAM_USER: "sees everything, proposes removal candidates",
}
LAST_ADMIN = "This is the last administrator. Give another active account the role admin first."


class LastAdministrator(Exception):
    """The change would leave nobody who may manage accounts; nothing was written."""

    def __init__(self) -> None:
        super().__init__(LAST_ADMIN)


def describe_role(group: Group) -> str:
    """The name of a role and what it allows. A group that is no role has only its name."""
    meaning = MEANINGS.get(group.name)
    return f"{group.name}: {meaning}" if meaning else group.name


def active_administrators() -> QuerySet[User]:
    """Active accounts that may manage accounts."""
    able = Q(is_superuser=True) | Q(groups__name=roles.ADMIN)
    return User.objects.filter(able, is_active=True).distinct()


def is_last_administrator(account: User) -> bool:
    """Whether this account may manage accounts and no other may."""
    return set(active_administrators().values_list("pk", flat=True)) == {account.pk}


def lock_administrators() -> None:
    """Let changes of access follow one another: until the transaction's end nobody else passes here."""
    Group.objects.select_for_update().get(name=roles.ADMIN)


def keep_administrator() -> None:
    """Raises `LastAdministrator` if there is none now, so that the transaction is undone."""
    if not active_administrators().exists():
        raise LastAdministrator


def access_of(user: User) -> dict[str, Any]:
    """What the stored account may do. A change of these facts is written to the audit trail."""
    stored = User.objects.get(pk=user.pk)
    return {
        "roles": sorted(stored.groups.values_list("name", flat=True)),
        "superuser": stored.is_superuser,
        "active": stored.is_active,
    }


def person_of(user: User) -> dict[str, str]:
    """Who the stored account is for. The name signs in, and the address may be where a password is reset."""
    stored = User.objects.get(pk=user.pk)
    return {name: getattr(stored, name) for name in ("username", "email", "first_name", "last_name")}


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {fact: {"before": before[fact], "after": after[fact]} for fact in after if before[fact] != after[fact]}

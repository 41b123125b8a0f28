"""The four roles, which roles each includes, and who holds them. What each may do is in `samsaas.policy`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.db import models
from django.db.models import QuerySet

ADMIN = "admin"
SAM_INTEGRATOR = "sam_integrator"
SAM_ADMIN = "sam_admin"
SAM_USER = "sam_user"
ROLES = (ADMIN, SAM_INTEGRATOR, SAM_ADMIN, SAM_USER)

INCLUDES = {
    ADMIN: {ADMIN, SAM_INTEGRATOR, SAM_ADMIN, SAM_USER},
    SAM_INTEGRATOR: {SAM_INTEGRATOR, SAM_USER},
    SAM_ADMIN: {SAM_ADMIN, SAM_USER},
    SAM_USER: {SAM_USER},
}

PUBLIC = "public"  # anybody, signed in or not
CACHE = "_samsaas_roles"  # attribute of the account object, so that a request reads the roles once
SCOPE = "_samsaas_scope"  # attribute of the account object of one request: the role that its token is limited to
SIGNED_IN = "signed_in"  # any active account, also one without a role


def roles_of(user: AbstractBaseUser | AnonymousUser) -> set[str]:
    """All roles of an account, with the roles they include. Inactive and anonymous accounts have none.

    Where a token acts for the account (`narrow`), only what the role of the token includes.
    """
    if not isinstance(user, User) or not user.is_active:
        return set()
    scope = getattr(user, SCOPE, None)
    return _held_roles(user) if scope is None else _held_roles(user) & INCLUDES.get(scope, set())


def is_administrator(user: User) -> bool:
    """Whether the account itself is one, whatever the token that acts for it may do."""
    return ADMIN in _held_roles(user)


def narrow(user: User, role: str) -> User:
    """Let this account object hold no more than one role with what it includes. Nothing of it is stored."""
    setattr(user, SCOPE, role)
    return user


def _held_roles(user: User) -> set[str]:
    if user.is_superuser:
        return set(ROLES)
    cached: set[str] | None = getattr(user, CACHE, None)
    if cached is None:
        names = Group.objects.filter(user=user, name__in=ROLES).values_list("name", flat=True)
        cached = set().union(*(INCLUDES[name] for name in names))
        setattr(user, CACHE, cached)
    return cached


def roles_without(role: str) -> set[str]:
    """The roles that do not include this one."""
    return {name for name, included in INCLUDES.items() if role not in included}


def accounts_with(role: str) -> QuerySet[User]:
    """The active accounts that have a role, also through another one that includes it."""
    including = set(ROLES) - roles_without(role)
    holding = models.Exists(Group.objects.filter(user=models.OuterRef("pk"), name__in=including))
    return User.objects.filter(models.Q(is_superuser=True) | holding, is_active=True)


def ensure_groups(**kwargs: Any) -> None:
    """Create a Django group for every role. Runs after every migrate."""
    for name in ROLES:
        Group.objects.get_or_create(name=name)

"""Single sign-on: who comes back from the identity provider, and which roles their groups give, at every sign-in.

1. An account belongs to a subject of the provider (`sub`), and never to an e-mail address, which anybody may claim.
2. The groups are mapped to roles by `OIDC_GROUP_ROLES`. They replace the roles of the account, and the superuser's mark
   goes with the role admin.
3. Whoever has no mapped group is refused, and the sessions and roles of their account end.
4. The last administrator stays one, whatever the groups are called now, and is told so.
5. An unknown subject gets an account. A name that is taken gets a number, so nobody becomes somebody else.

The second factor of this installation is asked afterwards, of accounts that have one or need one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain, count
from typing import Any

from allauth.core import context
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from samsaas import audit, roles, sessions
from samsaas.accounts import access, edit
from samsaas.models import Invitation

PROVIDER = "company"
NOT_IN_NAMES = re.compile(r"[^\w.@+-]")
LONGEST_NAME = 140
MOST_GROUPS = 5000
log = logging.getLogger(__name__)


class NoGroup(Exception):
    """None of the groups gives a role. Nobody is signed in."""


class TwoSubjects(Exception):
    """The ID token is about somebody else than the rest of the answer."""


def is_configured() -> bool:
    """Whether there is an identity provider."""
    return bool(settings.OIDC_SERVER_URL)


def group_roles() -> dict[str, str]:
    """Group -> role, as the operator wrote it: `group=role`. Words that name no role are left out."""
    pairs = (text.rpartition("=") for text in settings.OIDC_GROUP_ROLES)
    return {group.strip(): role.strip() for group, _, role in pairs if group.strip() and role.strip() in roles.ROLES}


def roles_from(claims: Mapping[str, Any]) -> set[str]:
    """The roles that the groups of these claims give."""
    named = claims.get(settings.OIDC_GROUPS_CLAIM)
    listed = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    mapped = group_roles()
    return {mapped[group] for group in listed[:MOST_GROUPS] if isinstance(group, str) and group in mapped}


def claims_of(login: SocialLogin) -> dict[str, Any]:
    """What the provider says, from both of its answers. Raises `TwoSubjects`."""
    data = login.account.extra_data
    token, userinfo = data.get("id_token") or {}, data.get("userinfo") or {}
    if token and userinfo and token.get("sub") != userinfo.get("sub"):
        raise TwoSubjects
    return {**token, **userinfo}


def admit(login: SocialLogin, *, invitation: int | None, now: datetime) -> bool:
    """Give whoever came back the roles of their groups, and an account. Raises `NoGroup` or `TwoSubjects`.

    Returns whether the account is the last administrator, and stays one although no group says so.
    """
    claims = claims_of(login)
    with transaction.atomic():
        access.lock_administrators()
        account = login.user if login.is_existing else _made_meanwhile(login)
        given = roles_from(claims)
        stays = account is not None and roles.ADMIN not in given and access.is_last_administrator(account)
        if stays:
            given.add(roles.ADMIN)
        if account is not None:
            _store_roles(account, given)
        elif given:
            _create(login, claims, given, invitation, now)
    if not given:
        raise NoGroup
    return stays


def _made_meanwhile(login: SocialLogin) -> User | None:
    """The account that the same person's other window has just made."""
    found = SocialAccount.objects.filter(provider=login.account.provider, uid=login.account.uid).first()
    if found is None:
        return None
    login.account, login.user = found, found.user
    return found.user


def _store_roles(account: User, given: set[str]) -> None:
    """The roles of the groups, and no others. Without any the account's sessions end."""
    before = access.access_of(account), access.person_of(account)
    if account.is_superuser and roles.ADMIN not in given:
        account.is_superuser = False
        account.save(update_fields=["is_superuser"])
    edit.set_roles(account, given)
    edit.record_changes(account, *before, by=None)
    if not given:
        sessions.end_sessions(account)


def _create(
    login: SocialLogin, claims: Mapping[str, Any], given: Iterable[str], invitation: int | None, now: datetime
) -> None:
    account = User(
        username=_free_name(claims),
        email=_verified_address(claims),
        first_name=_text(claims, "given_name"),
        last_name=_text(claims, "family_name"),
    )
    account.set_unusable_password()
    login.user = account
    login.save(context.request, connect=True)
    edit.set_roles(account, given)
    audit.record(None, "created account by sign-on", account, **access.access_of(account))
    still = Invitation.objects.filter(pk=invitation or 0, accepted_at=None, withdrawn_at=None)
    still.update(token_hash=None, accepted_at=now, account=account)


def _free_name(claims: Mapping[str, Any]) -> str:
    """A user name that nobody has, from what the provider calls the person."""
    wished = _text(claims, "preferred_username") or _text(claims, "email") or _text(claims, "sub")
    name = NOT_IN_NAMES.sub("_", wished)[:LONGEST_NAME]
    candidates = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(one for one in candidates if not User.objects.filter(username__iexact=one).exists())


def _verified_address(claims: Mapping[str, Any]) -> str:
    """The address, if the provider says that it was verified. No mail goes to another one."""
    address = _text(claims, "email")
    if claims.get("email_verified") is not True:
        return ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.replace("\x00", "")[:LONGEST_NAME].strip() if isinstance(value, str) else ""

"""Single sign-on: who comes back from the identity provider, and which roles their groups give, at every sign-in.

There may be two ways, OpenID Connect and SAML. Both end here, with claims under the names of OpenID Connect.

1. An account belongs to a subject of the provider (`sub`), and never to an e-mail address, which anybody may claim.
2. The groups are mapped to roles by `OIDC_GROUP_ROLES` or `SAML_GROUP_ROLES`. They replace the roles of the account,
   and the superuser's mark goes with the role admin.
3. Whoever has no mapped group is refused, and the sessions and roles of their account end.
4. The last administrator stays one, whatever the groups are called now, and is told so.
5. An unknown subject gets an account. A name that is taken gets a number, so nobody becomes somebody else.
6. Whoever has left the company does not come back, so nothing tells us. The API tokens of an account rest when it
   has not come from the provider for `SSO_TOKEN_DAYS`, and count again after the next sign-in.

The second factor of this installation is asked afterwards, of accounts that have one or need one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Any, NamedTuple

from allauth.core import context
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Max, QuerySet
from django.urls import reverse

from samsaas import audit, roles, sessions
from samsaas.accounts import access, edit
from samsaas.accounts.saml import configuration as saml
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


class Way(NamedTuple):
    """A way to sign in that leads to an identity provider: what its button says, and where it begins."""

    name: str
    address: str


def has_openid() -> bool:
    """Whether there is an identity provider that speaks OpenID Connect."""
    return bool(settings.OIDC_SERVER_URL)


def ways() -> list[Way]:
    """The ways there are. Only where there are two do the buttons say which is which."""
    found = []
    if has_openid():
        found.append(Way("OpenID Connect", reverse("openid_connect_login", args=[PROVIDER])))
    if saml.is_configured():
        found.append(Way("SAML", reverse("saml_login")))
    both = len(found) > 1
    return [way._replace(name=f"Single sign-on with {way.name}" if both else "Single sign-on") for way in found]


def is_configured() -> bool:
    """Whether there is an identity provider."""
    return bool(ways())


def long_unseen(now: datetime) -> QuerySet[User]:
    """Accounts of the provider's people that it has not vouched for lately: their API tokens rest."""
    if not is_configured() or not settings.SSO_TOKEN_DAYS:
        return User.objects.none()
    signed_on = User.objects.annotate(signed_on=Max("socialaccount__last_login"))
    return signed_on.filter(signed_on__lt=now - timedelta(days=settings.SSO_TOKEN_DAYS))


def group_roles(given: Iterable[str]) -> dict[str, str]:
    """Group -> role, as the operator wrote it: `group=role`. Words that name no role are left out."""
    pairs = (text.rpartition("=") for text in given)
    return {group.strip(): role.strip() for group, _, role in pairs if group.strip() and role.strip() in roles.ROLES}


def roles_from(claims: Mapping[str, Any], provider: str) -> set[str]:
    """The roles that the groups of these claims of a provider give."""
    is_saml = provider == saml.PROVIDER
    named = claims.get("groups" if is_saml else settings.OIDC_GROUPS_CLAIM)
    listed = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    mapped = group_roles(settings.SAML_GROUP_ROLES if is_saml else settings.OIDC_GROUP_ROLES)
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
        given = roles_from(claims, login.account.provider)
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

"""The second factor of an account: who needs one, who has one, and where its secrets are kept.

django-allauth asks for it while signing in; `samsaas.reauthenticate` asks for it before what a stolen session must not
be enough for. Its secrets are encrypted like all others, in a table of ours.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import QueryDict
from django.utils import timezone

from samsaas import roles
from samsaas.lib.encryption import UndecryptableValue
from samsaas.models import SecondFactorSecret

Type = Authenticator.Type
ASKED_FOR = (Type.TOTP, Type.WEBAUTHN)
MARK = "secret:"
log = logging.getLogger(__name__)
KEPT_UNUSED = timedelta(hours=1)  # the row of the factor follows within the same transaction
# What an account that still needs a second factor may open: where it is set up, and what no account is needed for.
OPEN_BEFORE = frozenset(
    {
        *("healthz", "readyz", "keep", "login", "logout", "account_login", "invitation_accept"),
        *("notification_stop", "report_stop"),
        *("password_reset", "password_reset_done", "password_reset_confirm", "password_change", "password_change_done"),
        *("openid_connect_login", "openid_connect_callback"),
        *("saml_login", "saml_acs", "saml_finish", "saml_metadata"),
        *("mfa_index", "mfa_authenticate", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    }
)


class FactorAdapter(DefaultMFAAdapter):
    """What django-allauth asks us: how a secret is stored, and whether a factor may be removed."""

    def encrypt(self, text: str) -> str:
        row = SecondFactorSecret.objects.create(text=text, stored_at=timezone.now())
        return f"{MARK}{row.pk}"

    def decrypt(self, encrypted_text: str) -> str:
        """The secret. One that is lost, as with a wrong key, is replaced by a random one, whose codes nobody has."""
        try:
            text: str = SecondFactorSecret.objects.get(pk=int(encrypted_text.removeprefix(MARK))).text
        except (UndecryptableValue, SecondFactorSecret.DoesNotExist):
            log.error("The secret of a second factor cannot be decrypted: manage.py doctor")
            return generate_totp_secret()
        return text

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last factor of somebody who needs one stays until there is another."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=ASKED_FOR).exclude(pk=authenticator.pk)
        return not is_required(authenticator.user) or others.exists()


def is_required(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether one of the account's roles needs a second factor here."""
    return bool(settings.SECOND_FACTOR_ROLES) and not roles.roles_of(user).isdisjoint(settings.SECOND_FACTOR_ROLES)


def kinds_of(user: AbstractBaseUser) -> set[str]:
    """The kinds of factors that an account has, recovery codes included."""
    return set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))


def has_factor(user: AbstractBaseUser) -> bool:
    """Whether the account is asked for a second factor."""
    return not kinds_of(user).isdisjoint(ASKED_FOR)


def is_missing(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the account needs a second factor and has none yet."""
    return is_required(user) and isinstance(user, User) and not has_factor(user)


def accepts(user: User, answers: QueryDict) -> bool:
    """Whether the code or the answer of a key is right, for somebody who is signed in. Wrong ones are counted."""
    form: Any
    if answers.get("credential"):
        form = ReauthenticateWebAuthnForm(data=answers, user=user)
    else:
        form = ReauthenticateForm(data=answers, user=user)
    if not form.is_valid():
        return False
    form.save()
    return True


def question_to_key(user: User, kinds: set[str]) -> dict[str, Any]:
    """For a page that asks: what the browser asks a key of this account. Empty if there is none."""
    return {"js_data": {"request_options": begin_authentication(user)}} if Type.WEBAUTHN in kinds else {}


def discard_unused(now: datetime) -> int:
    """Delete the secrets of factors that are gone."""
    held = {
        int(text.removeprefix(MARK))
        for data in Authenticator.objects.values_list("data", flat=True)
        for text in data.values()
        if isinstance(text, str) and text.startswith(MARK)
    }
    return SecondFactorSecret.objects.filter(stored_at__lt=now - KEPT_UNUSED).exclude(pk__in=held).delete()[0]

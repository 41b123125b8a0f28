"""What django-allauth asks this house while somebody signs in."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from samsaas import audit, record_sign_ins
from samsaas.accounts import openid, single_sign_on
from samsaas.accounts.saml import configuration as saml
from samsaas.accounts.saml.provider import CompanySaml
from samsaas.lib.client_address import client_address

SILENT = {"account/messages/logged_in.txt", "mfa/messages/recovery_codes_generated.txt"}  # the page shows it
INVITED = "samsaas_invitation"  # key of the session: the invitation whose link led to the identity provider
LONGEST_REASON = 300
log = logging.getLogger(__name__)
STAYS = (
    "None of your groups gives the role admin any more. You keep it, because nobody else has it: give it to another "
    "account, or correct the groups in the settings."
)
INACTIVE = "That account is switched off."


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up; limits count by our idea of an address; `samsaas.reauthenticate` asks for passwords again."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return False

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        messages.error(request, INACTIVE)
        return redirect("login")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Being signed in is seen without being told, and new codes are."""
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)


class SignOnAdapter(DefaultSocialAccountAdapter):
    """What django-allauth asks this house when somebody comes back from the identity provider."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The one of the settings. A row in the database makes no provider."""
        return [
            app for apps in _build_apps_from_settings(provider=provider, client_id=client_id).values() for app in apps
        ]

    def get_provider(
        self, request: HttpRequest, provider: Any, client_id: Any = None
    ) -> openid.CompanyProvider | CompanySaml:
        kind = CompanySaml if provider == saml.PROVIDER else openid.CompanyProvider
        return kind(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Admit, or answer with the page that says why not. What the provider said of the person is not kept."""
        invitation = request.session.pop(INVITED, None)
        try:
            if single_sign_on.admit(sociallogin, invitation=invitation, now=timezone.now()):
                messages.warning(request, STAYS)
        except single_sign_on.NoGroup:
            account = sociallogin.user if sociallogin.is_existing else None
            audit.record(None, "refused sign-on", account, reason="no group that gives a role")
            raise ImmediateHttpResponse(refuse(request, "no_group")) from None
        except single_sign_on.TwoSubjects:
            raise ImmediateHttpResponse(refuse(request, "failed")) from None
        finally:
            sociallogin.account.extra_data = {}
            if sociallogin.account.pk:
                sociallogin.account.save()

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        log.warning("Single sign-on failed: %s %s", error, str(exception)[:LONGEST_REASON])
        raise ImmediateHttpResponse(refuse(request, "failed"))


def refuse(request: HttpRequest, reason: str) -> HttpResponse:
    """The page of a sign-on that did not end well. Whoever was signed in is not any more.

    An answer that was not accepted names nobody, so the audit trail counts those. The log has the reason of each.
    """
    logout(request)
    if reason == "failed":
        record_sign_ins.count_failed_sign_on(address=client_address(request), now=timezone.now())
    status = 403 if reason == "no_group" else 401
    return render(request, "registration/sign_on_refused.html", {"reason": reason}, status=status)

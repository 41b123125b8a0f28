"""Signing in and out, and changing the password: Django's own views and forms, with every wrong one counted.

Whoever signs in does so through django-allauth (`perform_password_login`), which asks for the second factor.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from math import ceil
from typing import Any, cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from axes.handlers.proxy import AxesHandler
from axes.helpers import get_client_username
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from samsaas import audit, guessing, outbox, reauthenticate
from samsaas.accounts import single_sign_on
from samsaas.lib.client_address import client_address
from samsaas.lib.http import clear_browser
from samsaas.lib.local_path import read_local_path
from samsaas.models import LocalAdministrator

ATTEMPT = "_samsaas_attempt"  # attribute of the request: its `guessing.Attempt`
TOO_MANY = "You tried many passwords, and this one was not looked at. Try again in {}."
log = logging.getLogger(__name__)


def next_path(request: HttpRequest) -> str:
    """The page of this site that `next` names, or an empty text."""
    return read_local_path(request.POST.get("next") or request.GET.get("next"))


class SignInForm(AuthenticationForm):
    """Refuses a name that is longer than any account's, without a look at the accounts."""

    def clean(self) -> dict[str, Any]:
        longest = cast(CharField, self.fields["username"]).max_length or 0
        if len(self.cleaned_data.get("username") or "") > longest:
            raise self.get_invalid_login_error()
        return super().clean()

    def confirm_login_allowed(self, user: User) -> None:
        """Where only single sign-on is left, a right password says no more than a wrong one. Local ones go on."""
        super().confirm_login_allowed(user)
        if settings.SSO_ONLY and not LocalAdministrator.objects.filter(account_id=user.pk).exists():
            raise self.get_invalid_login_error()


class SignIn(views.LoginView):
    """Redirects an account that is already signed in. A `next` that leads back here leads to the start page."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        return next_path(self.request)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password is right. The rest is django-allauth's: it asks for the second factor, then signs in."""
        account, request = form.get_user(), self.request
        if attempt := getattr(request, ATTEMPT, None):
            guessing.succeed(attempt, now=timezone.now())
            setattr(request, ATTEMPT, None)  # otherwise signing in would take the count back once more
        login = Login(user=account, redirect_url=self.get_success_url())
        return perform_password_login(request, {"username": account.get_username()}, login)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {
            "mails_are_sent": outbox.has_server(),
            "sign_on": single_sign_on.ways(),
            "only_sign_on": settings.SSO_ONLY,
            "shows_password": not settings.SSO_ONLY or "local" in self.request.GET or self.request.method == "POST",
        }
        return {**super().get_context_data(**kwargs), **more}

    def get_success_url(self) -> str:
        url = super().get_success_url()
        return self.get_default_redirect_url() if url.partition("?")[0] == self.request.path else url


class SignOut(views.LogoutView):
    """Signs out, and tells the browser to forget the pages and what they stored."""

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        return next_path(self.request)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().dispatch(request, *args, **kwargs)
        clear_browser(answer)
        return answer


class GuessHandler(AxesHandler):
    """What django-axes asks around every sign-in. `samsaas.guessing` counts; axes' own tables stay empty."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        name = get_client_username(request, credentials) or ""
        attempt = guessing.begin_sign_in(name, client_address(request), now=timezone.now())
        setattr(request, ATTEMPT, attempt)
        return not attempt.refused

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        attempt = getattr(request, ATTEMPT, None)
        if attempt is None:
            return
        name, word = get_client_username(request, credentials), "refused" if attempt.refused else "failed"
        log.warning("Sign-in %s: %s from %s", word, name, client_address(request))
        request.axes_locked_out = attempt.is_last

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        if attempt := getattr(request, ATTEMPT, None):
            guessing.succeed(attempt, now=timezone.now())

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        """For the `axes_reset…` commands. Without a name and an address everything is forgotten."""
        if ip_or_username:
            return guessing.reset(name=username) + guessing.reset(address=ip_address)
        return guessing.reset(name=username, address=ip_address)


def closed_door(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """The page of a closed sign-in. It is the same for every name, whether or not somebody has it."""
    wait: timedelta = getattr(request, ATTEMPT).wait
    page = render(request, "registration/locked_out.html", {"wait": wait_in_words(wait)}, status=429)
    page["Retry-After"] = str(ceil(wait.total_seconds()))
    return page


def wait_in_words(wait: timedelta) -> str:
    """How long to wait, rounded up: "8 seconds", "15 minutes"."""
    seconds = ceil(wait.total_seconds())
    number, unit = (seconds, "second") if seconds < 60 else (ceil(seconds / 60), "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


class ChangePasswordForm(PasswordChangeForm):
    """Judges the new password only where the old one is right: judging takes time."""

    def validate_password_for_user(self, user: User, *args: Any, **kwargs: Any) -> None:
        if "old_password" not in self.errors:
            super().validate_password_for_user(user, *args, **kwargs)


class ChangePassword(views.PasswordChangeView):
    """Counts wrong old passwords: in a session that somebody else took over, this page would answer every guess."""

    form_class = ChangePasswordForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        session, now = request.session.session_key or "", timezone.now()
        trying = guessing.begin_new_password(session, now=now)
        if trying.refused:
            messages.error(request, TOO_MANY.format(wait_in_words(trying.wait)))
            return redirect("password_change")
        self.attempt = guessing.begin_in_session(session, now=now)
        if self.attempt.refused:
            return reauthenticate.end_session(request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        guessing.succeed(self.attempt, now=timezone.now())
        answer = super().form_valid(form)
        account = cast(User, self.request.user)
        audit.record(account, "changed own password", account)
        reauthenticate.note_password(self.request)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        if "old_password" not in form.errors:
            guessing.succeed(self.attempt, now=timezone.now())
        elif self.attempt.is_last:
            return reauthenticate.end_session(self.request)
        return super().form_invalid(form)

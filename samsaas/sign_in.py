"""Signing in and changing the password: Django's own views and form with small changes."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.forms import CharField
from django.http import HttpResponse

from samsaas import audit


class SignInForm(AuthenticationForm):
    """Refuses a name that is longer than any account's. django-axes could not store it among the failed attempts."""

    def clean(self) -> dict[str, Any]:
        longest = cast(CharField, self.fields["username"]).max_length or 0
        if len(self.cleaned_data.get("username") or "") > longest:
            raise self.get_invalid_login_error()
        return super().clean()


class SignIn(views.LoginView):
    """Redirects an account that is already signed in. A `next` that leads back here leads to the start page."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        url = super().get_success_url()
        return self.get_default_redirect_url() if url.partition("?")[0] == self.request.path else url


class ChangePassword(views.PasswordChangeView):
    """Records that somebody changed the own password."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        account = cast(User, self.request.user)
        audit.record(account, "changed own password", account)
        return answer

"""Signing in: Django's own view and form with two changes."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.forms import CharField


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

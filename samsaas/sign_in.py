"""Signing in and out: Django's own views and form with a few changes."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.forms import CharField
from django.http import HttpRequest, HttpResponse

from samsaas.lib.http import clear_browser
from samsaas.lib.local_path import read_local_path


def next_path(request: HttpRequest) -> str:
    """The page of this site that `next` names, or an empty text."""
    return read_local_path(request.POST.get("next") or request.GET.get("next"))


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

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        return next_path(self.request)

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

"""Signing in: Django's own view, for people who are signed in already too."""

from __future__ import annotations

from django.contrib.auth import views


class SignIn(views.LoginView):
    """Who is signed in goes on at once; a way on that leads back here leads to the start page instead."""

    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        url = super().get_success_url()
        return self.get_default_redirect_url() if url.partition("?")[0] == self.request.path else url

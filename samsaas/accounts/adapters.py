"""What django-allauth asks this house while somebody signs in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from samsaas.lib.client_address import client_address

SILENT = "account/messages/logged_in.txt"
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
        """Being signed in is seen without being told."""
        if message_template != SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)

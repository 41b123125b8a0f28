"""The page of the own account: who I am here, what I may do, where I am signed in, and the code that I sign in with."""

from __future__ import annotations

from http import HTTPStatus

from allauth.mfa.base import views as factor
from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from samsaas import sessions
from samsaas.accounts import access, edit
from samsaas.lib.http import SignedInRequest


def own_account(request: SignedInRequest) -> HttpResponse:
    """The own account."""
    context = {
        "roles": [access.describe_role(group) for group in Group.objects.filter(user=request.user).order_by("name")],
        "sessions": sessions.open_sessions(request.user, now=timezone.now()),
        "own_key": sessions.stored_key(request.session.session_key or ""),
    }
    return render(request, "samsaas/accounts/own_account.html", context)


def own_sign_out(request: SignedInRequest) -> HttpResponse:
    """End every session but this one."""
    ended = edit.sign_out_everywhere(request.user, by=request.user, except_key=request.session.session_key)
    messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("own_account")


def second_factor_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code after the right password. Anybody else goes to the start page, which says who may see it."""
    answer: HttpResponse = factor.authenticate(request)
    is_astray = answer.status_code == HTTPStatus.FOUND and answer["Location"] == reverse("account_login")
    return redirect("home") if is_astray else answer

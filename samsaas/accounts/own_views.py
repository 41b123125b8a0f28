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
from samsaas.accounts import access, choose_zone, edit
from samsaas.accounts.forms import ZoneForm
from samsaas.lib.http import SignedInRequest


def own_account(request: SignedInRequest) -> HttpResponse:
    """The own account."""
    context = {
        "roles": [access.describe_role(group) for group in Group.objects.filter(user=request.user).order_by("name")],
        "sessions": sessions.open_sessions(request.user, now=timezone.now()),
        "own_key": sessions.stored_key(request.session.session_key or ""),
        "form": ZoneForm(initial={"zone": choose_zone.read_stored(request.user)}),
    }
    return render(request, "samsaas/accounts/own_account.html", context)


def own_zone(request: SignedInRequest) -> HttpResponse:
    """Choose the time zone in which moments are shown to oneself."""
    form = ZoneForm(request.POST)
    if form.is_valid():
        choose_zone.run(request.user, form.cleaned_data["zone"])
        messages.success(request, "Saved. Moments are shown in this time zone from now on.")
    else:
        messages.error(request, "There is no such time zone.")
    return redirect("own_account")


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

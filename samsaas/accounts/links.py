"""Public pages that a link from a mail leads to: the invitation, and the way to a new password.

None of them says whether an account exists. Every visit is counted by its address, like links of other mails.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from samsaas import guessing
from samsaas.accounts import adapters, invite, reset_password, single_sign_on
from samsaas.accounts.forms import LostPasswordForm, WelcomeForm
from samsaas.lib.client_address import client_address

View = Callable[..., Any]


def counted(view: View) -> View:
    """Decorator: so many visits a minute from one address, and the page says when to come again."""

    @wraps(view)
    def count_first(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        attempt = guessing.begin_link(client_address(request), now=timezone.now())
        if attempt.refused:
            answer = render(request, "samsaas/accounts/link_throttled.html", status=429)
            answer["Retry-After"] = str(ceil(attempt.wait.total_seconds()))
        else:
            answer = view(request, *args, **kwargs)
        # The address is the secret, so no request tells it. With "no-referrer" the form's own request would not say
        # either from which site it comes, and be refused.
        answer.headers["Referrer-Policy"] = "strict-origin"
        return answer

    return count_first


@counted
@sensitive_post_parameters()
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password, and have an account. Afterwards one signs in with it like everybody else."""
    now = timezone.now()
    invitation = invite.find(token, now=now)
    if invitation is None:
        return render(request, "samsaas/accounts/link_over.html", status=404)
    if single_sign_on.is_configured():
        request.session[adapters.INVITED] = invitation.pk
    form = WelcomeForm(request.POST or None, invitation=invitation)
    if form.is_valid() and not settings.SSO_ONLY:
        chosen = {name: form.cleaned_data[name] for name in ("password", "first_name", "last_name")}
        try:
            account = invite.accept(token, **chosen, now=now)
        except invite.NotOpen:
            return render(request, "samsaas/accounts/link_over.html", status=404)
        messages.success(request, f"Your account is ready. Sign in as {account.get_username()}.")
        return redirect("login")
    return render(
        request, "samsaas/accounts/invitation_accept.html", {"form": form, "invitation": invitation, **_ways_in()}
    )


def _ways_in() -> dict[str, Any]:
    return {"sign_on": single_sign_on.ways(), "only_sign_on": settings.SSO_ONLY}


@counted
def password_reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same for every address."""
    form = LostPasswordForm(request.POST or None)
    if form.is_valid():
        reset_password.ask(form.cleaned_data["email"], now=timezone.now())
        return redirect("password_reset_done")
    return render(request, "samsaas/accounts/password_reset.html", {"form": form})


def password_reset_done(request: HttpRequest) -> HttpResponse:
    """What happens now."""
    return render(request, "samsaas/accounts/password_reset_done.html")


@counted
@sensitive_post_parameters()
def password_reset_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Set a new password. Whoever does so signs in with it then, second factor included."""
    now = timezone.now()
    account = reset_password.find_account(token, now=now)
    if account is None:
        return render(request, "samsaas/accounts/password_set.html", status=404)
    form = SetPasswordForm(account, request.POST or None)
    if form.is_valid():
        if reset_password.set_password(token, form.cleaned_data["new_password1"], now=now):
            messages.success(request, "The new password is set. Sign in with it.")
            return redirect("login")
        return render(request, "samsaas/accounts/password_set.html", status=404)
    return render(request, "samsaas/accounts/password_set.html", {"form": form})

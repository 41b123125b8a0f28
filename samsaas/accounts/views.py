"""Pages for administrators: accounts with their roles and sessions, and invitations."""

from __future__ import annotations

from collections.abc import Callable

from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas import explain_conflict, roles, second_factor, sessions
from samsaas.accounts import edit, invite, reset_password
from samsaas.accounts.access import LastAdministrator
from samsaas.accounts.filters import AccountFilter, InvitationFilter
from samsaas.accounts.forms import AccessForm, InvitationForm
from samsaas.accounts.tables import AccountTable, InvitationTable
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.models import Invitation
from samsaas.reauthenticate import recent_password_required

OWN = "You cannot deactivate your own account. Ask another administrator."
OWN_FACTOR = "Your own second factor is under Your account."
NOT_OPEN = "This invitation was accepted or withdrawn meanwhile."
NO_PASSWORD = "This account has no password or no e-mail address, so it can be sent no link."  # noqa: S105 - a sentence


def account_list(request: SignedInRequest) -> HttpResponse:
    """All accounts."""
    context = tables.listing(request, User.objects.prefetch_related("groups"), AccountTable, AccountFilter)
    now = timezone.now()
    context["invited"] = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now).count()
    return render(request, "samsaas/accounts/account_list.html", context)


def account_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One account: whose it is, its roles, and where it is signed in."""
    account = get_object_or_404(User.objects.prefetch_related("groups"), pk=pk)
    context = {
        "account": account,
        "sessions": sessions.open_sessions(account, now=timezone.now()),
        "own_key": sessions.stored_key(request.session.session_key or ""),
        "factors": second_factor.kinds_of(account),
        "factor_required": second_factor.is_required(account),
        "limits": () if roles.is_administrator(account) else account.limited_sights.all(),
        "can_be_sent_link": account.is_active and account.has_usable_password() and bool(account.email),
    }
    return render(request, "samsaas/accounts/account_detail.html", context)


@recent_password_required
def account_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change who an account is for, and its roles."""
    account = get_object_or_404(User, pk=pk)
    form = AccessForm(request.POST or None, instance=account)
    if form.is_valid() and not explain_conflict.refuse(request, form, account, "this account"):
        try:
            changed = edit.change(pk, form.cleaned_data, by=request.user)
        except LastAdministrator as refused:
            form.add_error("groups", str(refused))
        else:
            messages.success(request, f"The account {changed.get_username()} was saved.")
            return redirect("account_detail", pk)
    account.refresh_from_db()
    by_groups = SocialAccount.objects.filter(user=account).exists()
    context = {"account": account, "form": form, "by_groups": by_groups}
    return render(request, "samsaas/accounts/account_edit.html", context)


@recent_password_required
def account_deactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    """End somebody's access, after a confirmation that says what stays."""
    account = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return render(request, "samsaas/accounts/account_deactivate.html", {"account": account})
    try:
        edit.deactivate(pk, by=request.user)
    except LastAdministrator as refused:
        messages.error(request, str(refused))
    except edit.OwnAccount:
        messages.error(request, OWN)
    else:
        messages.success(request, f"{account.get_username()} is deactivated and signed out everywhere.")
    return redirect("account_detail", pk)


@recent_password_required
def account_activate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let somebody sign in again."""
    account = get_object_or_404(User, pk=pk)
    edit.activate(pk, by=request.user)
    messages.success(request, f"{account.get_username()} may sign in again, with the same roles as before.")
    return redirect("account_detail", pk)


def account_sign_out(request: SignedInRequest, pk: int) -> HttpResponse:
    """End every session of an account; of the own one every other session."""
    account = get_object_or_404(User, pk=pk)
    own = request.session.session_key if account == request.user else None
    ended = edit.sign_out_everywhere(account, by=request.user, except_key=own)
    messages.success(request, f"{ended} session{'' if ended == 1 else 's'} of {account.get_username()} ended.")
    return redirect("account_detail", pk)


@recent_password_required
def account_remove_factors(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take somebody's second factors off, who lost them."""
    account = get_object_or_404(User, pk=pk)
    if account == request.user:
        messages.error(request, OWN_FACTOR)
    else:
        edit.remove_factors(account, by=request.user)
        messages.success(request, f"{account.get_username()} has no second factor any more, and signs in anew.")
    return redirect("account_detail", pk)


@recent_password_required
def account_send_link(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send somebody the link to set a new password."""
    account = get_object_or_404(User, pk=pk)
    if account.is_active and account.has_usable_password() and account.email:
        reset_password.send_for_admin(account, by=request.user, now=timezone.now())
        messages.success(request, f"A link to set a new password is on its way to {account.email}.")
    else:
        messages.error(request, NO_PASSWORD)
    return redirect("account_detail", pk)


def invitation_list(request: SignedInRequest) -> HttpResponse:
    """Who has been invited, and what became of it."""
    context = tables.listing(request, invite.with_senders(), InvitationTable, InvitationFilter)
    return render(request, "samsaas/accounts/invitation_list.html", {**context, "now": timezone.now()})


@recent_password_required
def invitation_new(request: SignedInRequest) -> HttpResponse:
    """Invite a colleague by mail."""
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        names = [group.name for group in form.cleaned_data["groups"]]
        email, username = form.cleaned_data["email"], form.cleaned_data["username"]
        invitation = invite.run(email, username, names, by=request.user, now=timezone.now())
        messages.success(request, f"An invitation is on its way to {invitation.email}.")
        return redirect(invitation)
    return render(request, "samsaas/accounts/invitation_new.html", {"form": form})


def invitation_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One invitation, its mail, and what can still be done with it."""
    invitation = get_object_or_404(invite.with_senders().select_related("account", "mail"), pk=pk)
    return render(request, "samsaas/accounts/invitation_detail.html", {"one": invitation, "now": timezone.now()})


def _act(request: SignedInRequest, pk: int, act: Callable[..., Invitation], done: str) -> HttpResponse:
    get_object_or_404(Invitation, pk=pk)
    try:
        messages.success(request, done.format(act(pk, by=request.user, now=timezone.now()).email))
    except invite.NotOpen:
        messages.error(request, NOT_OPEN)
    return redirect("invitation_detail", pk)


@recent_password_required
def invitation_resend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a new link; the former one leads nowhere then."""
    return _act(request, pk, invite.send_again, "A new link is on its way to {}.")


def invitation_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """End an invitation's link."""
    return _act(request, pk, invite.withdraw, "The invitation of {} is withdrawn; its link leads nowhere.")

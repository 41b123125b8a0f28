"""Ask for the password again before an act that a stolen session must not be enough for.

Decorate the view with `recent_password_required`, and nothing else has to change:

    @recent_password_required
    def profile_disconnect(request, pk): …

1. A POST within `REAUTHENTICATE_WITHIN` of the last time the password was given goes through.
2. Any other POST is answered by a page that asks for the password. The page carries what was posted, encrypted, because
   it may hold secrets, and bound to the account and the address.
3. With the right password, and the second factor of an account that has one, the view gets the original POST, as if
   nothing had happened in between. Nothing is lost.
4. Wrong ones are counted like those of the sign-in page; the last one ends the session.

`when(request, …)` says for which POSTs of the view that holds; without it, for all. GET never asks.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from samsaas import audit, guessing, policy, record_sign_ins, second_factor
from samsaas.lib.client_address import client_address
from samsaas.lib.http import clear_browser

GIVEN = "samsaas_password_given"  # key of the session: when the password was last given
HELD = "held_form"  # field of the page that asks
ENDED = "You were signed out, because a wrong password was given too often in this session. Sign in again."
TOO_OLD = "You waited too long, so nothing was done. Please do it again."
WRONG = "This is not your password. After several wrong ones you will be signed out."
WRONG_WITH_FACTOR = "The password or the second factor is not right. After several wrong ones you will be signed out."
View = Callable[..., Any]


class PasswordForm(forms.Form):
    """The fields of the page that asks: those that the account can answer. A key of a browser answers by itself."""

    password_again = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    code = forms.CharField(
        label="Code of your second factor",
        required=False,
        help_text="From your authenticator app, or one of your recovery codes.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )
    credential = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, account: User, kinds: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not account.has_usable_password():
            del self.fields["password_again"]
        if kinds.isdisjoint(second_factor.ASKED_FOR):
            del self.fields["code"]
        if second_factor.Type.WEBAUTHN not in kinds:
            del self.fields["credential"]


def note_password(request: HttpRequest, **kwargs: Any) -> None:
    """The password has just been given. Also the receiver of Django's `user_logged_in`."""
    request.session[GIVEN] = timezone.now().timestamp()


def is_recent(request: HttpRequest, *, now: datetime) -> bool:
    """Whether the password was given in this session lately enough."""
    given = request.session.get(GIVEN)
    return given is not None and 0 <= now.timestamp() - given <= settings.REAUTHENTICATE_WITHIN.total_seconds()


def always(request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
    return True


def recent_password_required(view: View | None = None, *, when: Callable[..., bool] = always) -> Any:
    """Decorator of a view: its POST needs a password that was given lately. `when` gets what the view gets."""

    def decorate(inner: View) -> View:
        @wraps(inner)
        @sensitive_post_parameters()
        def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method != "POST":
                return inner(request, *args, **kwargs)
            if HELD in request.POST:
                return _check_password(request) or inner(request, *args, **kwargs)
            if is_recent(request, now=timezone.now()) or not when(request, *args, **kwargs):
                return inner(request, *args, **kwargs)
            return _password_page(request, hold_form(request), popup=request.POST.get("popup") == "1")

        return ask_first

    return decorate(view) if view else decorate


@sensitive_variables()
def _check_password(request: HttpRequest) -> HttpResponse | None:
    """Put the held form back in the request and return None, or return the answer that takes its place."""
    now = timezone.now()
    attempt = guessing.begin_in_session(request.session.session_key or "", now=now)
    if attempt.refused:
        return end_session(request)
    account = cast(User, request.user)
    if not _is_account_owner(account, request.POST):
        record_sign_ins.count_failure(account, address=client_address(request), now=now)
        return end_session(request) if attempt.is_last else _password_page(request, request.POST[HELD], wrong=True)
    guessing.succeed(attempt, now=now)
    audit.record(account, "confirmed password", account)
    note_password(request)
    held = open_form(request, request.POST[HELD])
    if held is None:
        messages.error(request, TOO_OLD)
        return redirect(page_to_return_to(request))
    request.POST = held  # type: ignore[assignment]
    return None


def _is_account_owner(account: User, answers: QueryDict) -> bool:
    """Whether password and second factor are right, as far as the account has them. It has one of them."""
    has_password, has_factor = account.has_usable_password(), second_factor.has_factor(account)
    if has_password and not account.check_password(answers.get("password_again", "")):
        return False
    return second_factor.accepts(account, answers) if has_factor else has_password


def _password_page(request: HttpRequest, held: str, *, wrong: bool = False, popup: bool = False) -> HttpResponse:
    account = cast(User, request.user)
    kinds = second_factor.kinds_of(account)
    form = PasswordForm({"password_again": "wrong"} if wrong else None, account=account, kinds=kinds)
    if wrong:
        field = next(iter(form.fields), None)
        form.add_error(field, WRONG_WITH_FACTOR if "code" in form.fields else WRONG)
        if field == "password_again":
            del form.fields[field].widget.attrs["autofocus"]  # the page's script goes to the wrong field
    context = {
        **second_factor.question_to_key(account, kinds),
        "form": form,
        "held": held,
        "bare": popup,
        "address": request.get_full_path(),
        "back": page_to_return_to(request),
        "minutes": int(settings.REAUTHENTICATE_WITHIN.total_seconds() // 60),
    }
    return render(request, "registration/password_again.html", context)


def page_to_return_to(request: HttpRequest) -> str:
    """The page of this address, or the start page where the address only carries out an order."""
    match = request.resolver_match
    return request.path if match and policy.may(request.user, match.view_name) else "/"


def hold_form(request: HttpRequest) -> str:
    """What was posted, encrypted for the time in which it may be repeated, for this account and this address."""
    body = request.POST.copy()
    body.pop("csrfmiddlewaretoken", None)
    text = json.dumps([request.user.pk, request.get_full_path(), body.urlencode()])
    return _cipher().encrypt_at_time(text.encode(), int(timezone.now().timestamp())).decode()


def open_form(request: HttpRequest, held: str) -> QueryDict | None:
    """The held form. None if it is too old, or was made for another account or address, or by somebody else."""
    most, now = int(settings.REAUTHENTICATE_WITHIN.total_seconds()), int(timezone.now().timestamp())
    try:
        text = _cipher().decrypt_at_time(held.encode("utf-8", "replace"), most, now)
    except InvalidToken:
        return None
    account, address, body = json.loads(text)
    return QueryDict(body) if (account, address) == (request.user.pk, request.get_full_path()) else None


def _cipher() -> Fernet:
    """A key for this purpose alone. Nothing that is encrypted with it is stored."""
    return Fernet(urlsafe_b64encode(salted_hmac("samsaas.reauthenticate", "", algorithm="sha256").digest()))


def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out after too many wrong passwords, and lead to the sign-in page, which says why."""
    logout(request)
    messages.error(request, ENDED)
    answer = redirect_to_login("/")
    clear_browser(answer)
    return answer

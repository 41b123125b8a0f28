"""Pages of the API: one's own tokens (for administrators everybody's), a new one, revoking one, and the reference."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas import roles
from samsaas.accounts import single_sign_on
from samsaas.api import reference, tokens, urls
from samsaas.api.forms import TokenForm
from samsaas.api.tables import TokenFilter, TokenTable
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.models import ApiToken
from samsaas.reauthenticate import recent_password_required


def _visible_tokens(request: SignedInRequest) -> QuerySet[ApiToken]:
    """One's own; an administrator sees everybody's."""
    unseen = single_sign_on.long_unseen(timezone.now()).filter(pk=OuterRef("user"))
    found = ApiToken.objects.select_related("user").annotate(rests=Exists(unseen))
    return found if roles.ADMIN in roles.roles_of(request.user) else found.filter(user=request.user)


def token_list(request: SignedInRequest) -> HttpResponse:
    """The tokens, and when and from where each was last used."""
    context = tables.listing(request, _visible_tokens(request), TokenTable, TokenFilter)
    return render(request, "samsaas/api/token_list.html", context)


@recent_password_required
def token_new(request: SignedInRequest) -> HttpResponse:
    """Make a token. Its text is shown on the answer, and never again."""
    form = TokenForm(request.POST or None, user=request.user)
    if not form.is_valid():
        return render(request, "samsaas/api/token_new.html", {"form": form})
    token, text = tokens.make(request.user, **form.cleaned_data, now=timezone.now())
    return render(request, "samsaas/api/token_made.html", {"token": token, "text": text})


def token_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then end a token at once."""
    token = get_object_or_404(_visible_tokens(request), pk=pk)
    if request.method != "POST":
        return render(request, "samsaas/api/token_revoke.html", {"token": token})
    if tokens.revoke(token, by=request.user, now=timezone.now()):
        messages.success(request, f"The token {token.name} was revoked. No further call with it is answered.")
    else:
        messages.info(request, "It was revoked already.")
    return redirect("token_list")


def api_reference(request: HttpRequest) -> HttpResponse:
    """What the API can do, from its OpenAPI document."""
    return render(request, "samsaas/api/reference.html", {"groups": reference.list_groups(tuple(urls.resources))})

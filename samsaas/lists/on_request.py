"""The choices of the person on every request, read when a list asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject

from samsaas.lib.list_choices import NOTHING_CHOSEN, ListChoices, read_choices
from samsaas.lists import choose
from samsaas.lists.catalog import BY_URL_NAME
from samsaas.models import SavedView


class PersonalLists:
    """Puts `list_choices` on the request: see `samsaas.lib.list_choices`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.list_choices = SimpleLazyObject(lambda: _read_choices(request))  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """A list that is opened without a word in its address opens with the view that the person chose for it."""
        page = BY_URL_NAME.get(request.resolver_match.view_name) if request.resolver_match else None
        if page is None or request.method != "GET" or request.GET or not request.user.is_authenticated:
            return None
        chosen = read_choices(request).opens_with.get(page.key)
        found = SavedView.objects.open_to(request.user).filter(pk=chosen, list=page.key).first() if chosen else None
        return redirect(page.view_url(found)) if found else None


def _read_choices(request: HttpRequest) -> ListChoices:
    return choose.read_stored(request.user) if request.user.is_authenticated else NOTHING_CHOSEN

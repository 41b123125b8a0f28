"""The choices of the person on every request, read when a list asks for them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from samsaas.lib.list_choices import NOTHING_CHOSEN, ListChoices
from samsaas.lists import choose


class PersonalLists:
    """Puts `list_choices` on the request: see `samsaas.lib.list_choices`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.list_choices = SimpleLazyObject(lambda: _read_choices(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def _read_choices(request: HttpRequest) -> ListChoices:
    return choose.read_stored(request.user) if request.user.is_authenticated else NOTHING_CHOSEN

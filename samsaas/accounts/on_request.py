"""The time zone of the person on every request, read when the first moment is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse

from samsaas.accounts import choose_zone
from samsaas.lib import person_zone


class PersonalZones:
    """Lets `samsaas.lib.person_zone` know whose moments are shown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        @cache
        def find_name() -> str:
            return choose_zone.read_stored(request.user) if request.user.is_authenticated else ""

        with person_zone.reading_in(find_name):
            return self.get_response(request)

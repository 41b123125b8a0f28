"""What Django REST framework is told in the settings: whose call it is, and that JSON is all there is."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class TokenOwner(BaseAuthentication):
    """The account that `TokenDoor` found."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        token = getattr(request._request, "api_token", None)
        return (request._request.user, token) if token else None


class AlwaysJson(BaseContentNegotiation):
    """Reads and writes JSON, whatever the header `Accept` says."""

    def select_parser(self, request: Request, parsers: list[Any]) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: list[Any], format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type

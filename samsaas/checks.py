"""System checks of the project: the addresses everything else relies on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@register(Tags.urls)
def public_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The redirect URL is computed from PUBLIC_URL and never from a request."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        hint = "Use a scheme and a host only, such as https://samsaas.example.com."
        return [Error(f"PUBLIC_URL is not usable: {settings.PUBLIC_URL!r}.", hint=hint, id="samsaas.E010")]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        hint = "Vendors accept plain http on loopback only; serve the application over https."
        return [Warning("PUBLIC_URL is plain http on a public host.", hint=hint, id="samsaas.W011")]
    return []

"""System checks of PUBLIC_URL and ALLOWED_HOSTS."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
ONE_ADDRESS = "Use a scheme and a host only, such as https://samsaas.example.com."


def is_local(address: str) -> bool:
    """Whether the address leads to this machine only."""
    return urlsplit(address).hostname in LOOPBACK


@register(Tags.urls)
def public_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """PUBLIC_URL is a scheme and a host. The OAuth redirect URL is built from it, never from a request."""
    parts = urlsplit(settings.PUBLIC_URL)
    more = parts.username or parts.path or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or more:
        shown = settings.PUBLIC_URL.rpartition("@")[2]
        return [Error(f"PUBLIC_URL is not usable: {shown!r}.", hint=ONE_ADDRESS, id="samsaas.E010")]
    if parts.scheme == "http" and not is_local(settings.PUBLIC_URL):
        hint = "Serve the application over https and change PUBLIC_URL: vendors accept plain http on loopback only."
        return [Warning("PUBLIC_URL is plain http on a public host.", hint=hint, id="samsaas.W011")]
    return []


@register(Tags.urls)
def public_host(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS contains the host of PUBLIC_URL. Otherwise every page answers 400."""
    host = urlsplit(settings.PUBLIC_URL).hostname
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        hint = "Add it to ALLOWED_HOSTS, or leave ALLOWED_HOSTS unset."
        return [Error(f"ALLOWED_HOSTS refuses the host of PUBLIC_URL, {host}.", hint=hint, id="samsaas.E012")]
    return []

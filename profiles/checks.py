"""System checks for settings that make an installation unsafe or unable to store a secret."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from samsaas.lib import encryption


@register(Tags.security)
def encryption_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without usable keys no secret could be stored or read."""
    try:
        encryption.installation_keys()
    except ImproperlyConfigured as problem:
        hint = "Generate one with: manage.py new_field_key, and put it first in FIELD_ENCRYPTION_KEYS."
        return [Error(str(problem), hint=hint, id="samsaas.E001")]
    return []


@register(Tags.security)
def oauthlib_switches(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Two environment variables make oauthlib accept plain http or a changed scope for every connection."""
    switches = ("OAUTHLIB_INSECURE_TRANSPORT", "OAUTHLIB_RELAX_TOKEN_SCOPE")
    return [
        Error(f"{name} is set.", hint="Remove it: tokens must not travel unprotected.", id="samsaas.E002")
        for name in switches
        if os.environ.get(name)
    ]


@register(Tags.security, deploy=True)
def sandbox_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The stand-in vendor issues tokens to anybody who asks."""
    if settings.SANDBOX and not settings.DEBUG:
        return [Error("SANDBOX is on.", hint="Unset SANDBOX outside the demo.", id="samsaas.E003")]
    return []

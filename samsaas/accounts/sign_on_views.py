"""To the identity provider and back.

A link starts it: browsers stop a form at a redirect to somebody else, and a provider may have a provider itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from allauth.socialaccount.providers.openid_connect import views as openid
from django.http import Http404, HttpRequest, HttpResponse

from samsaas.accounts import adapters, single_sign_on

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
log = logging.getLogger(__name__)


def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """On to the provider."""
    return _guarded(openid.login, request, provider_id)


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from the provider, once, in the browser that went there."""
    return _guarded(openid.callback, request, provider_id)


def _guarded(view: Callable[..., Any], request: HttpRequest, provider_id: str) -> HttpResponse:
    """What the provider sends is a stranger's: an answer that cannot be read is a sign-on that failed."""
    if provider_id != single_sign_on.PROVIDER or not single_sign_on.is_configured():
        raise Http404
    try:
        answer: HttpResponse = view(request, provider_id)
    except UNREADABLE:
        log.exception("The identity provider's answer could not be read")
        return adapters.refuse(request, "failed")
    return answer

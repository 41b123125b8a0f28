"""To the identity provider that speaks OpenID Connect, and back.

A link starts it: browsers stop a form at a redirect to somebody else, and a provider may have a provider itself.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

import requests
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from samsaas.accounts import adapters, openid, single_sign_on
from samsaas.lib.local_path import read_local_path

FAILURES = (requests.RequestException, KeyError, TypeError, ValueError, AttributeError)
log = logging.getLogger(__name__)


def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """On to the provider. Of the address only the page to go on to counts: the rest is not a stranger's to choose."""
    request.GET = QueryDict(urlencode({"next": read_local_path(request.GET.get("next"))}))
    return _guarded(OAuth2LoginView, request, provider_id)


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from the provider, once, in the browser that went there."""
    return _guarded(OAuth2CallbackView, request, provider_id)


def _guarded(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    """What the provider sends is a stranger's: no answer, and one that cannot be read, is a sign-on that failed."""
    if provider_id != single_sign_on.PROVIDER or not single_sign_on.has_openid():
        raise Http404
    try:
        answer: HttpResponse = view.adapter_view(openid.CompanyAdapter(request, provider_id))(request)
    except FAILURES:
        log.exception("The identity provider did not answer, or not in a way that can be read")
        return adapters.refuse(request, "failed")
    return answer

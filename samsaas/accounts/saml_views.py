"""To the SAML identity provider and back.

The answer comes as a form of another site, and browsers send no cookie with it that says who they are (SameSite). So
`consume` checks the answer without a session and puts what it says aside, and leads on to `finish`, which has the
session, and with it the question. Whoever brings an answer to a question of another browser ends there.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from importlib import import_module
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.sessions import LoginSession
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from samsaas.accounts import adapters
from samsaas.accounts.saml.configuration import PROVIDER, TOOLKIT, is_configured
from samsaas.lib.local_path import read_local_path

COOKIE = "__Secure-saml-answer" if settings.HTTPS else "saml-answer"
SET_ASIDE_FOR = 120  # seconds
METADATA = "application/samlmetadata+xml"
log = logging.getLogger(__name__)


def toolkit() -> Any:
    """The part that needs the extra `saml`. Without it there are no such pages."""
    try:
        return import_module(TOOLKIT)
    except ImportError:
        raise Http404 from None


def metadata(request: HttpRequest) -> HttpResponse:
    """Our side, to upload to the provider, or for it to read."""
    return HttpResponse(toolkit().own_metadata(), content_type=METADATA)


def start(request: HttpRequest) -> HttpResponse:
    """On to the provider with a new question. Of the address only the page to go on to counts."""
    _require_configured()
    try:
        address, question = toolkit().new_question()
    except Http404:
        raise
    except Exception:  # settings, network and a stranger's XML: whatever it is, it is a sign-on that failed
        log.exception("The SAML identity provider cannot be asked")
        return adapters.refuse(request, "failed")
    onward = read_local_path(request.GET.get("next"))
    _provider(request).stash_redirect_state(request, AuthProcess.LOGIN, onward, state_id=question)
    return redirect(address)


@csrf_exempt
def consume(request: HttpRequest) -> HttpResponse:
    """The provider's answer, once. Its RelayState is not read: where to go on is in the session."""
    _require_configured()
    try:
        answer = toolkit().read_answer(request.POST.get("SAMLResponse", ""))
    except Http404:
        raise
    except Exception as problem:  # the XML is a stranger's, and its readers raise many things
        log.warning("A SAML answer was refused: %s", str(problem)[: adapters.LONGEST_REASON])
        return adapters.refuse(request, "failed")
    if not _is_first(answer):
        log.warning("A SAML answer was refused: it came before")
        return adapters.refuse(request, "failed")
    return _set_aside(request, answer)


def finish(request: HttpRequest) -> HttpResponse:
    """Sign in whom the answer is about, if this browser asked the question."""
    _require_configured()
    kept = LoginSession(request, "samsaas_saml_answer", COOKIE)
    answer = kept.store.get("answer") or {"claims": {"sub": ""}, "in_response_to": ""}
    kept.delete()
    provider = _provider(request)
    try:
        login = provider.sociallogin_from_response(request, answer["claims"])
        login.state = provider.unstash_redirect_state(request, answer["in_response_to"])
    except (PermissionDenied, ImproperlyConfigured, ValueError) as problem:
        log.warning("A SAML answer was refused: this browser did not ask for it, or nobody is named: %r", problem)
        return adapters.refuse(request, "failed")
    answered: HttpResponse = complete_social_login(request, login)
    return answered


def _require_configured() -> None:
    if not is_configured():
        raise Http404


def _provider(request: HttpRequest) -> Any:
    return get_adapter().get_provider(request, PROVIDER)


def _is_first(answer: Any) -> bool:
    """Whether this assertion never came before. It is remembered for as long as it holds."""
    key = sha256(f"saml assertion {answer.assertion}".encode()).hexdigest()
    left = answer.good_until - int(timezone.now().timestamp())
    return cache.add(key, True, max(left, 0) + SET_ASIDE_FOR)


def _set_aside(request: HttpRequest, answer: Any) -> HttpResponse:
    onward = redirect("saml_finish")
    kept = LoginSession(request, "samsaas_saml_answer", COOKIE)
    kept.store["answer"] = {"claims": answer.claims, "in_response_to": answer.in_response_to}
    kept.store.set_expiry(SET_ASIDE_FOR)
    kept.save(onward)
    onward.cookies[COOKIE]["httponly"] = True
    return onward

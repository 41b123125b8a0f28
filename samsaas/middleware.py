"""Headers of every answer, deny by default, and session limits."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from csp.constants import HEADER as CONTENT_POLICY
from csp.utils import build_policy
from django.apps import apps
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils import timezone

from profiles.sight.seen import list_seen
from samsaas import closed_links, page_sight, policy, second_factor
from samsaas.api import problems
from samsaas.lib import sight
from samsaas.lib.http import SEEN, STARTED, clear_browser, is_api
from samsaas.lib.local_path import read_local_path
from samsaas.lib.log_context import note_request

STAMP_EVERY = 60
NO_FACTOR = "The account of this token needs a second factor and has none. Its owner sets it up under Your account."
BEYOND = "The account of this token is limited to some profiles, and this is about all of them."
# Pages that another page fetches by itself, again and again. They show nobody's presence.
POLLED = {"run_progress", "profile_waiting"}

NO_STORE = "no-store"


class AnswerHeaders:
    """The headers that no answer may miss, also those that Django makes before or after every other middleware.

    Nothing is stored by browsers and proxies, except static files, which have their own Cache-Control.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        answer.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        answer.headers.setdefault("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY)
        if not settings.DEBUG:  # Django's page for developers has a style sheet inside
            answer.headers.setdefault(CONTENT_POLICY, build_policy())
        caching = answer.headers.get("Cache-Control", "")
        is_static = bool(caching) and request.path_info.startswith(settings.STATIC_URL)
        if not is_static and NO_STORE not in caching:
            answer.headers["Cache-Control"] = NO_STORE
        return answer


class RequestNumber:
    """Gives every request a number, for the lines of the log and as X-Request-ID for whoever reports an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = uuid.uuid4().hex
        with note_request(number):
            answer = self.get_response(request)
        answer.headers["X-Request-ID"] = number
        return answer


class SessionLimits:
    """Signs an account out after the idle limit, and after the absolute limit even if it was never idle.

    A page that only polls does not renew the idle limit: an open tab would keep its session for ever. The REST API has
    no sessions: its cookies are not looked at.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api(request):
            return self.get_response(request)
        is_ended = request.user.is_authenticated and self.is_over(request, timezone.now().timestamp())
        if is_ended:
            logout(request)
        response = self.get_response(request)
        if request.user.is_authenticated and STARTED not in request.session:  # somebody has just signed in
            self.stamp(request, timezone.now().timestamp())
        elif is_ended:
            clear_browser(response)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        polled = request.resolver_match is not None and request.resolver_match.view_name in POLLED
        if request.user.is_authenticated and not polled and not is_api(request):
            self.stamp(request, timezone.now().timestamp())

    def is_over(self, request: HttpRequest, now: float) -> bool:
        idle = now - request.session.get(SEEN, now)
        age = now - request.session.get(STARTED, now)
        return idle > settings.SESSION_IDLE.total_seconds() or age > settings.SESSION_ABSOLUTE.total_seconds()

    def stamp(self, request: HttpRequest, now: float) -> None:
        """Note that somebody is there. Once a minute is enough, and saves writes."""
        if STARTED not in request.session or now - request.session.get(SEEN, now) > STAMP_EVERY:
            request.session[STARTED], request.session[SEEN] = request.session.get(STARTED, now), now


class SecondFactorRequired:
    """Leads an account that needs a second factor and has none to the page where it is set up, before anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in second_factor.OPEN_BEFORE or not second_factor.is_missing(request.user):
            return None
        if is_api(request):
            return problems.answer(HTTPStatus.FORBIDDEN, NO_FACTOR)
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return redirect("mfa_index")


class DefaultDeny:
    """Checks every request against `policy.POLICY`. A page without a row there is denied."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        method = request.method or ""
        if policy.may(request.user, name, method):
            return None
        known = policy.POLICY.get(policy.policy_row(name))
        if is_api(request):
            return problems.deny(request, known)
        if known and policy.required_role(name, method) is None:
            return not_allowed(request, sorted(known))
        if known and not request.user.is_authenticated:
            if "HX-Request" in request.headers:  # otherwise htmx would put the sign-in page inside the current page
                return sign_in_again(request)
            # A POST cannot be repeated after signing in, so it leads to the start page instead.
            return redirect_to_login(request.get_full_path() if method in ("GET", "HEAD") else "/")
        if policy.is_beyond_sight(request.user, name, method):
            return beyond_sight(request)
        raise PermissionDenied


class SightDoor:
    """Of a person whose sight is limited to some profiles: answers for rows of others as for rows that are not there.

    It puts `sight` on the request, by which lists leave rows out (`samsaas.lib.sight`). `DefaultDeny` has refused the
    pages that show more, and links to those lead nowhere (`closed_links`). `samsaas.page_sight` says what each page is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if not is_api(request):
            closed_links.close(request, answer)
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        kind = page_sight.kind_of(policy.policy_row(name))
        seen = None if kind == page_sight.FREE or policy.is_public(name) else sight.sight_of(request.user)
        setattr(request, sight.ON_REQUEST, seen)
        if seen is None or kind in (page_sight.ROWS, page_sight.WHOLE):
            return
        model = apps.get_model(kind)
        if not model._default_manager.filter(sight.within(model, seen), pk=kwargs["pk"]).exists():
            raise Http404


def beyond_sight(request: HttpRequest) -> HttpResponse:
    """403, with the reason: the page shows more profiles than this account may see."""
    if is_api(request):
        return problems.answer(HTTPStatus.FORBIDDEN, BEYOND)
    profiles = list_seen(request)
    return render(request, "beyond_sight.html", {"profiles": profiles}, status=HTTPStatus.FORBIDDEN)


def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Leads a part of a page that asked without a session to sign-in, and from there back to the page.

    If the page itself was asked for with another filter, order or place, that is where the person goes on.
    """
    try:
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        shown = urlsplit("")
    page = read_local_path(urlunsplit(("", "", shown.path, shown.query, "")))
    if not page:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if request.method == "GET" and request.path == shown.path:
        page = request.get_full_path()
    return HttpResponse(headers={"HX-Redirect": redirect_to_login(page).headers["Location"]})


def not_allowed(request: HttpRequest, methods: list[str]) -> HttpResponse:
    """The page for 405. It links to the nearest page above the address."""
    answer = render(request, "405.html", {"back": page_above(request)}, status=405)
    answer["Allow"] = ", ".join(methods)
    return answer


def page_above(request: HttpRequest) -> str:
    """The nearest address above this one that the account may open, or the start page."""
    path = request.path
    while path := path.rstrip("/").rpartition("/")[0]:
        try:
            if policy.may(request.user, resolve(f"{path}/").view_name):
                return f"{path}/"
        except Resolver404:
            continue
    return "/"

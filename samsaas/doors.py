"""The doors that every request passes before anything reads its body: what it may be, and how large.

1. `RequestDoor` looks at the address and the headers only: their length, their characters, the kind of the body and
   its length. It stands before sessions, sign-in and everything else.
2. `DefaultDeny` (middleware.py) checks the role, still without the body. So only an account that may upload a file to a
   page makes this process receive one.
3. `FormDoor` receives the form, one file at most, and looks at its values.

Every refusal is a page that says what was wrong. `policy.UPLOADS` names the pages that take a file.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import Resolver404, resolve

from samsaas import policy
from samsaas.api import problems
from samsaas.lib import uploads
from samsaas.lib.body_limits import BESIDE_THE_FILE, LARGEST_FILE, LARGEST_FORM
from samsaas.lib.http import is_api

LONGEST_PATH = 2000
LONGEST_QUERY = 8000
UPLOADS_AT_ONCE = 2
FORM, FORM_WITH_FILE = "application/x-www-form-urlencoded", "multipart/form-data"
JSON = "application/json"
# A text area sends line ends and tabs; no other control character is ever typed.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CONTROL_BYTES = re.compile(CONTROL.pattern.encode())
CONTROL_IN_PATH = re.compile(r"[\x00-\x1f\x7f]")
log = logging.getLogger(__name__)


class Rejection(NamedTuple):
    """Why a request is refused: the status, a heading, and what to do."""

    status: int
    title: str
    remedy: str


ODD_ADDRESS = Rejection(
    400,
    "The address could not be read",
    "It contains characters that no page of this application uses. Check the link, or start from the navigation.",
)
LONG_ADDRESS = Rejection(
    414, "The address is too long", "Use fewer or shorter filters, or start from the list without any."
)
NO_LENGTH = Rejection(
    411,
    "The request does not say how long it is",
    "Send it with a Content-Length, and not in chunks (this includes proxies).",
)
ODD_LENGTH = Rejection(400, "The request does not say how long it is", "Its Content-Length is not a number.")
LARGE_FORM = Rejection(
    413, "The form is too large", f"It may have at most {LARGEST_FORM // 1024} KB. Enter less, or do it in parts."
)
LARGE_FILE = Rejection(
    413, "The file is too large", f"A file may have at most {LARGEST_FILE // 1024**2} MB. Upload it in parts."
)
ODD_KIND = Rejection(
    415,
    "This page does not take what was sent",
    "It takes a form as a browser sends it, and no file and no other format.",
)
NO_JSON = Rejection(415, "The API does not take what was sent", "Send JSON, with Content-Type: application/json.")
BUSY = Rejection(
    503, "Too many files are arriving at the same time", "Try it again in a minute. Nothing has been stored."
)
MANY_FIELDS = Rejection(400, "The form has too many fields", "Choose fewer rows, and do it in parts.")
MANY_FILES = Rejection(400, "The form has more than one file", "Upload one file after the other.")
TOO_SLOW = Rejection(408, "The form did not arrive completely", "The connection was too slow. Send it once more.")
ODD_FORM = Rejection(400, "The form could not be read", "Go back, reload the page and send the form again.")
ODD_TEXT = Rejection(
    400,
    "The form contains characters that cannot be stored",
    "Some text in it holds a control character, as happens with text copied from a file. Type it instead.",
)
OUT_OF_RANGE = Rejection(
    400, "A value is out of range", "A number or a text in the address or the form is larger than this page knows."
)
UNREADABLE: tuple[tuple[type[Exception], Rejection], ...] = (
    (RequestDataTooBig, LARGE_FORM),
    (TooManyFieldsSent, MANY_FIELDS),
    (TooManyFilesSent, MANY_FILES),
    (UnreadablePostError, TOO_SLOW),
    (SuspiciousOperation, ODD_FORM),
    (MultiPartParserError, ODD_FORM),
)


def refuse(request: HttpRequest, refusal: Rejection) -> HttpResponse:
    """The page of a refusal, or the problem for a call of the API. What was sent stays unread."""
    if is_api(request):
        return problems.answer(refusal.status, f"{refusal.title}. {refusal.remedy}")
    answer = render(request, "refused.html", {"refusal": refusal}, status=refusal.status)
    if refusal is BUSY:
        answer["Retry-After"] = "60"
    return answer


class RequestDoor:
    """Refuses a request by its address and its headers, before anything has read its body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.free_places = threading.BoundedSemaphore(UPLOADS_AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = judge_address(request) or judge_body(request)
        if refusal:
            return refuse(request, refusal)
        if not takes_file(request):
            return self.get_response(request)
        uploads.expect_file(request)
        # A file is received in a thread, so slow uploads may hold a few of them but never all.
        if not self.free_places.acquire(blocking=False):
            return refuse(request, BUSY)
        try:
            return self.get_response(request)
        finally:
            self.free_places.release()


def judge_address(request: HttpRequest) -> Rejection | None:
    """Why the path or the query string is refused, or None."""
    query = request.META.get("QUERY_STRING", "")
    is_long = len(request.path_info) > LONGEST_PATH or len(query) > LONGEST_QUERY
    if is_long or query.count("&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        return LONG_ADDRESS
    if CONTROL_IN_PATH.search(request.path_info) or CONTROL_BYTES.search(unquote_to_bytes(query)):
        return ODD_ADDRESS
    return None


def judge_body(request: HttpRequest) -> Rejection | None:
    """Why the body is refused, or None. It is judged by its headers and stays unread."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return NO_LENGTH
    stated = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (stated.isascii() and stated.isdigit() and len(stated) < 16):
        return ODD_LENGTH
    if not (length := int(stated)):
        return None
    if takes_file(request):
        return LARGE_FILE if length > LARGEST_FILE + BESIDE_THE_FILE else None
    if is_api(request):
        return NO_JSON if request.content_type != JSON else LARGE_FORM if length > LARGEST_FORM else None
    if request.content_type not in kinds_taken(request):
        return ODD_KIND
    return LARGE_FORM if length > LARGEST_FORM else None


def kinds_taken(request: HttpRequest) -> tuple[str, ...]:
    """Browsers send a form without a file urlencoded, and some mail programs as if it had one. Django's test client
    does so too, but it uses no socket."""
    over_network = getattr(request, "came_over_network", False)
    return (FORM,) if over_network and not is_for(request, policy.ONE_CLICK) else (FORM, FORM_WITH_FILE)


def takes_file(request: HttpRequest) -> bool:
    """Whether this is a form with a file, for a page that has one."""
    return request.method == "POST" and request.content_type == FORM_WITH_FILE and is_for(request, policy.UPLOADS)


def is_for(request: HttpRequest, names: frozenset[str]) -> bool:
    """Whether the request is for one of these pages."""
    try:
        return resolve(request.path_info).view_name in names
    except Resolver404:
        return False


class FormDoor:
    """Receives the form, and refuses one that cannot be read or whose texts no page can use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if request.method != "POST":
            return None
        try:
            texts = [text for name, values in request.POST.lists() for text in (name, *map(str, values))]
        except tuple(kind for kind, _ in UNREADABLE) as error:
            return refuse(request, next(refusal for kind, refusal in UNREADABLE if isinstance(error, kind)))
        return refuse(request, ODD_TEXT) if any(map(CONTROL.search, texts)) else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A number that the database cannot hold is the visitor's mistake; it is logged in case it is ours."""
        if not isinstance(error, DataError | OverflowError):
            return None
        log.warning("A value of %s %s is out of range", request.method, request.path, exc_info=error)
        return refuse(request, OUT_OF_RANGE)

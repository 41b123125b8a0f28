"""The type of a request in a view, and what the answer to a sign-out tells the browser."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# What a session remembers: when it began, and when somebody was last there, in seconds since 1970.
STARTED, SEEN = "samsaas_started", "samsaas_seen"


class SignedInRequest(HttpRequest):
    """A request that `DefaultDeny` let through: its account has the role that the page requires."""

    user: User


def keep_popup(answer: HttpResponse) -> HttpResponse:
    """Let the page keep its handle of the pop-up that it opened at a vendor, and so see that it was closed by hand.

    The page that opens the pop-up needs it, and every redirect of ours on the way to the vendor.
    """
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return answer


def clear_browser(answer: HttpResponseBase) -> None:
    """Let the browser forget the pages of the session that ended, and what they stored. Its cookie is gone already."""
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'


API = "/api/"


def is_api(request: HttpRequest) -> bool:
    """Whether the address belongs to the REST API, which knows tokens and no sessions, and answers with JSON only."""
    return request.path_info.startswith(API)

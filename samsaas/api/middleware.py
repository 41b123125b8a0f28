"""Who calls the API, and that every error of it is JSON.

`TokenDoor` stands after the sessions and gives the request the account of its token, narrowed to the token's role,
before `DefaultDeny` looks at the policy table. Cookies count for nothing here, so nobody can be made to call the API by
a page of another site, and no call opens or extends a session.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from math import ceil

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from samsaas import audit, guessing, roles
from samsaas.accounts import single_sign_on
from samsaas.api import problems, tokens
from samsaas.lib.client_address import client_address
from samsaas.lib.http import is_api
from samsaas.models import ApiToken

TOO_MANY = f"At most {tokens.CALLS_PER_MINUTE} calls a minute are answered. Retry-After says when to go on."
TOO_MANY_WRONG = "Too many wrong API tokens came from this address. Retry-After says when to try again."


class TokenDoor:
    """Makes the account of the API token that of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return self.get_response(request)
        request.user, request.api_token = AnonymousUser(), None  # type: ignore[attr-defined]
        text = read_token(request)
        if text is None:
            return self.get_response(request)
        now = timezone.now()
        token = tokens.find(text, now=now)
        if token is None:
            return refuse_wrong(request)
        if single_sign_on.long_unseen(now).filter(pk=token.user.pk).exists():
            return problems.refuse_stranger(problems.RESTING_TOKEN)
        if wait := tokens.count_call(token, client_address(request), now=now):
            return problems.answer(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, headers={"Retry-After": str(wait)})
        return self.answer_as(token, request)

    def answer_as(self, token: ApiToken, request: HttpRequest) -> HttpResponse:
        """Answer in the name of the token's account. The audit trail says that it was the token."""
        request.user = roles.narrow(token.user, token.role)
        request.api_token = token  # type: ignore[attr-defined]
        with audit.acting_through(f"API token {token}"):
            return self.get_response(request)


class ProblemAnswers:
    """Turns every error page under /api/ into a problem, whoever made it: Django, a door, or the view of a 404."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if not is_api(request):
            return answer
        if answer.status_code >= HTTPStatus.BAD_REQUEST and answer.headers.get("Content-Type") != problems.KIND:
            return problems.convert(answer)
        return answer


def read_token(request: HttpRequest) -> str | None:
    """The text of the token in the header `Authorization`. It is read from nowhere else."""
    header = request.headers.get("Authorization", "").strip()
    if not header:
        return None
    scheme, _, text = header.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def refuse_wrong(request: HttpRequest) -> HttpResponse:
    """The answer to a wrong token; they are counted by the address they come from."""
    attempt = guessing.begin_wrong_token(client_address(request), now=timezone.now())
    if attempt.refused:
        wait = {"Retry-After": str(ceil(attempt.wait.total_seconds()))}
        return problems.answer(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY_WRONG, headers=wait)
    return problems.refuse_stranger(problems.BAD_TOKEN)

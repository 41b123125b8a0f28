"""Errors of the API, all of one shape: `application/problem+json` (RFC 9457), with messages for each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions

KIND = "application/problem+json"
CHALLENGE = "Bearer"
NO_TOKEN = "Send an API token in the header Authorization, as: Bearer sam_…"  # noqa: S105 - a sentence
BAD_TOKEN = "This API token is unknown, expired or revoked, or its account is inactive."  # noqa: S105 - a sentence
RESTING_TOKEN = "This API token rests until its owner signs in by single sign-on again."  # noqa: S105 - a sentence
NOT_ALLOWED = "The account of this token, or the role of the token, does not allow this."
UNREADABLE = "The values could not be used. `errors` says which, and why."
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
OF_ALL = ""  # the key of errors that belong to no field
Errors = Mapping[str, Sequence[str]]


class CallRefused(Exception):
    """A call that is answered with an error. `errors` are messages by field or parameter."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, detail: str = UNREADABLE, errors: Errors | None = None) -> None:
        super().__init__(detail)
        self.detail, self.errors = detail, errors


class Conflict(CallRefused):
    """What was asked does not fit what is stored now: somebody else was first, or its state does not allow it."""

    status = HTTPStatus.CONFLICT


def answer(
    status: int, detail: str = "", *, errors: Errors | None = None, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """An error."""
    body: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": int(status), "detail": detail}
    if errors is not None:
        body["errors"] = {name: list(messages) for name, messages in errors.items()}
    return JsonResponse(body, status=int(status), content_type=KIND, headers=dict(headers or {}))


def refuse_stranger(detail: str = NO_TOKEN) -> JsonResponse:
    """401: nobody, or a token that opens nothing."""
    error = "" if detail == NO_TOKEN else ' error="invalid_token"'
    return answer(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": CHALLENGE + error})


def deny(request: HttpRequest, row: Mapping[str, str] | None) -> HttpResponse:
    """What a call gets that `policy.POLICY` does not let in. `row` is that of its address, or None."""
    if row and (request.method or "") not in row and not (request.method == "HEAD" and "GET" in row):
        return answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(sorted(row))})
    if row and not request.user.is_authenticated:
        return refuse_stranger()
    return answer(HTTPStatus.FORBIDDEN, NOT_ALLOWED)


def convert(error: HttpResponse) -> HttpResponse:
    """An error that Django or a middleware has answered with a page, as a problem. Its cookies are dropped."""
    kept = {name: error.headers[name] for name in KEPT_HEADERS if name in error.headers}
    return answer(error.status_code, headers=kept)


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """The answer to an exception of a view, for Django REST framework. None: it is a fault of ours, a 500."""
    if isinstance(error, CallRefused):
        return answer(error.status, error.detail, errors=error.errors)
    if isinstance(error, ValidationError):
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, UNREADABLE, errors=by_field(error))
    if isinstance(error, Http404):
        return answer(HTTPStatus.NOT_FOUND)
    if isinstance(error, exceptions.APIException):
        return answer(error.status_code, str(error.detail))
    return None


def by_field(error: ValidationError) -> dict[str, list[str]]:
    """The messages of a verb or a form, by field."""
    if not hasattr(error, "error_dict"):
        return {OF_ALL: error.messages}
    return {OF_ALL if name == NON_FIELD_ERRORS else name: text for name, text in error.message_dict.items()}

"""Orders: calls that change something. Each hands its body to a form of a page, and calls the verb of that page.

With the header `Idempotency-Key` an order is carried out once, however often it is sent: its row and its effect are
committed together, others with the same key wait for them, and get the same answer. What was refused has changed
nothing, so it is not kept, and may be sent again with the same key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from samsaas.api import bodies
from samsaas.api.problems import CallRefused
from samsaas.api.reading import Resource, check_parameters
from samsaas.api.terms import HEADER, LONGEST_KEY, Order
from samsaas.models import ApiCall

REPLAYED = "Idempotent-Replayed"
BAD_KEY = f"Give 1 to {LONGEST_KEY} printable ASCII characters."
OTHER_BODY = "This key was used for another call. Use a new one for each order."


def order(
    *,
    answer: Any,
    form: type[forms.BaseForm],
    status: HTTPStatus = HTTPStatus.OK,
    left_out: tuple[str, ...] = (),
    partial: bool = False,
    may_exist: bool = False,
) -> Callable[[Any], Any]:
    """Decorator of a method of a resource that carries out an order.

    It gets the view, the request, what is in the address, and as `body` what was sent, with the fields of `form` only;
    `left_out` are its fields that the API has no use for. It returns the row to answer with, or a `Response`.
    """

    def decorate(act: Any) -> Any:
        @wraps(act)
        def carry_out(view: Resource, request: Request, **place: Any) -> Response:
            check_parameters(request, ())
            body = bodies.read_object(request)

            def answer_once() -> Response:
                found = act(view, request, **place, body=body)
                if isinstance(found, Response):
                    return found
                return Response(answer(found, context={"request": request, "view": view}).data, status=int(status))

            return _once(request, answer_once)

        carry_out.order = Order(form, answer, status, left_out, partial, may_exist)  # type: ignore[attr-defined]
        return carry_out

    return decorate


def fill_form(kind: Callable[..., Any], body: dict[str, Any], **options: Any) -> Any:
    """The form filled in with a body, and valid. Raises `CallRefused`.

    A form leaves out a field that has nothing to choose here, such as publishers where there is one. It may be empty.
    """
    here, known = kind(None, **options).fields, getattr(kind, "base_fields", {})
    given = {name: value for name, value in body.items() if value or name in here or name not in known}
    form = kind(bodies.as_form_data(given, here), **options)
    bodies.check_form(form)
    return form


def _once(request: Request, act: Callable[[], Response]) -> Response:
    """Carry out an order, or answer as before where its key was used."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        with transaction.atomic():
            return act()
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise CallRefused(errors={HEADER: [BAD_KEY]})
    with transaction.atomic():
        kept, is_new = _take_key(request, key)
        if not is_new:
            return _replay(kept, fingerprint_of(request))
        given = act()
        ApiCall.objects.filter(pk=kept.pk).update(status=given.status_code, answer=_as_text(given.data))
        return given


def _take_key(request: Request, key: str) -> tuple[ApiCall, bool]:
    """The row of a key and whether it is new. Whoever comes second waits here until the first is over."""
    of_key = ApiCall.objects.filter(token=request.auth, key=key)
    found = of_key.first()
    if found is None:
        row = ApiCall(token=request.auth, key=key, fingerprint=fingerprint_of(request), at=timezone.now())
        ApiCall.objects.bulk_create([row], ignore_conflicts=True)
        found = of_key.get()
    return found, found.status == 0


def _replay(kept: ApiCall, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise CallRefused(OTHER_BODY, {HEADER: [OTHER_BODY]})
    return Response(json.loads(kept.answer), status=kept.status, headers={REPLAYED: "true"})


def _as_text(data: Any) -> str:
    return json.dumps(data, cls=JSONEncoder)


def fingerprint_of(request: Request) -> str:
    """What a call is about: its address and its body."""
    body = repr(sorted(bodies.read_object(request).items()))
    return sha256(f"{request.path}\n{body}".encode("utf-8", "replace")).hexdigest()

"""Bodies of calls: JSON that is handed to the form of a page, so that both refuse the same things in the same words."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from samsaas.api.problems import OF_ALL, CallRefused
from samsaas.api.terms import MOST_AT_ONCE

UNKNOWN = "There is no such field."
NOT_READ = "The body is no JSON that can be read."
NO_OBJECT = "The body has to be a JSON object."
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ODD_TEXT = "This contains characters that cannot be stored."
SURROGATE = re.compile("[\ud800-\udfff]")


class StrictJson(BaseParser):
    """JSON as the standard has it: no NaN, no name twice, and not nested without end."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = stream.read().decode()
            return json.loads(text, object_pairs_hook=_no_name_twice, parse_constant=_refuse_constant, parse_float=str)
        except (ValueError, RecursionError, UnreadablePostError, MultiPartParserError) as error:
            raise ParseError(NOT_READ) from error


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("A name is given twice.")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON.")


def read_object(request: Request) -> dict[str, Any]:
    """The body, which may be missing. Raises `CallRefused`."""
    body = request.data if request._request.META.get("CONTENT_LENGTH") not in (None, "", "0") else {}
    if not isinstance(body, dict):
        raise CallRefused(NO_OBJECT, {OF_ALL: [NO_OBJECT]})
    return body


def as_form_data(body: dict[str, Any], fields: dict[str, forms.Field]) -> MultiValueDict[str, Any]:
    """The body as a browser would have sent it. Raises `CallRefused` for unknown names and wrong types."""
    errors = {name[:100]: [UNKNOWN] for name in body if name not in fields}
    for name in body.keys() & fields.keys():
        if problem := wrong_type(body[name], fields[name]):
            errors[name] = [problem]
    if errors:
        raise CallRefused(errors=errors)
    data: MultiValueDict[str, Any] = MultiValueDict()
    for name, value in body.items():
        if value is not None:
            data.setlist(name, value if isinstance(value, list) else [value])
    return data


def wrong_type(value: Any, field: forms.Field) -> str:
    """What is wrong with the JSON type of a value; empty where nothing is."""
    if value is None:
        return ""
    if isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField):
        is_good = _is_whole if isinstance(field, forms.ModelMultipleChoiceField) else _is_plain_text
        is_list = isinstance(value, list) and len(value) <= MOST_AT_ONCE and all(is_good(one) for one in value)
        return (
            ""
            if is_list
            else f"Give a list of at most {MOST_AT_ONCE} {'numbers' if is_good is _is_whole else 'texts'}."
        )
    if isinstance(field, forms.BooleanField):
        return "" if isinstance(value, bool) else "Give true or false."
    is_decimal = isinstance(field, forms.DecimalField)  # for Django that is a whole number
    if isinstance(field, forms.IntegerField | forms.ModelChoiceField) and not is_decimal:
        return "" if _is_whole(value) else "Give a whole number."
    if not isinstance(value, str):
        return "Give a text."
    return "" if _is_plain_text(value) else ODD_TEXT


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_plain_text(value: Any) -> bool:
    return isinstance(value, str) and not CONTROL.search(value) and not SURROGATE.search(value)


def check_form(form: forms.BaseForm) -> None:
    """Raises `CallRefused` with the words of the form unless it is valid."""
    if not form.is_valid():
        texts = {name: list(map(str, found)) for name, found in form.errors.items()}
        raise CallRefused(errors={OF_ALL if name == NON_FIELD_ERRORS else name: found for name, found in texts.items()})

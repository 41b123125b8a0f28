"""The OpenAPI document: operations from the resources, parameters from the filter forms, bodies from the forms."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.urls import URLPattern, include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from samsaas.api import problems
from samsaas.api.terms import CURSOR, DEFAULT_LIMIT, HEADER, LARGEST_KEY, LIMIT, LONGEST_KEY, MOST_AT_ONCE, Order
from samsaas.api.tokens import CALLS_PER_MINUTE

SECURITY = {"token": {"type": "http", "scheme": "bearer", "description": "An API token, such as sam_…"}}
PROBLEM = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
    "required": ["title", "status", "detail"],
}
SOME_TEXT = {"type": "string", "minLength": 1}
KEY = "^[!-~]([ -~]*[!-~])?$"  # blanks at the ends of a header are none of it
ERRORS = {
    "400": "The request or its body cannot be read.",
    "401": "No token, or one that is unknown, expired or revoked.",
    "403": "The account, or the role of the token, does not allow this.",
    "404": "There is no such row.",
    "405": "The address does not take this method.",
    "409": "Somebody else was first, or the state of what is stored does not allow it.",
    "413": "The body is too large.",
    "414": "The address is too long: use fewer or shorter parameters.",
    "415": "The body is not sent as JSON.",
    "422": "Parameters or fields cannot be used; `errors` has the messages of each.",
    "429": f"More than {CALLS_PER_MINUTE} calls a minute. Retry-After says when to go on.",
    "500": "A fault of the product. It is in its log.",
}
EVERYWHERE = ("400", "401", "403", "405", "414", "422", "429", "500")


class OperationSchema(AutoSchema):
    """How drf-spectacular describes our resources."""

    @property
    def order(self) -> Order | None:
        return getattr(getattr(self.view, self.view.action, None), "order", None)

    def get_operation_id(self) -> str:
        """The name of the URL; where its address takes several methods, that of the noun and of what is done."""
        name: str = self.view.url_name
        if self.view.action in ("create", "change"):
            return f"{name.removesuffix('_list').removesuffix('_detail')}_{self.view.action}"
        return name

    def get_tags(self) -> list[str]:
        return [type(self.view).__name__]

    def get_summary(self) -> str:
        """The first words of the docstring."""
        if self.view.action in ("list", "retrieve"):
            kind = re.split("[:.,]", type(self.view).__doc__ or "")[0].strip()
            return f"{kind}: {'the list' if self.view.action == 'list' else 'one'}"
        return re.split("[:.]", getattr(type(self.view), self.view.action).__doc__ or "")[0].strip()

    def get_description(self) -> str:
        method = getattr(type(self.view), self.view.action)
        about = type(self.view) if self.view.action in ("list", "retrieve") else method
        return " ".join((about.__doc__ or "").split())

    def get_extensions(self) -> dict[str, Any]:
        return {"x-url-name": self.view.url_name}

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{"token": []}]

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # our lists say themselves what is around their rows

    def get_override_parameters(self) -> list[Any]:
        return []

    def _get_parameters(self) -> list[dict[str, Any]]:
        """Those of the path, and of a list those of its filter form, limit and cursor."""
        found = [one for one in super()._get_parameters() if one["in"] == "path"]
        for one in found:
            one["schema"] = {"type": "integer", "minimum": 1, "maximum": LARGEST_KEY}
        if self.view.action == "list":
            found += list_parameters(self.view)
        if self.method == "POST":
            text = "Any text that names this order. Sent again, the order is not carried out again; kept for 24 hours."
            schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY}
            found.append({"in": "header", "name": HEADER, "description": text, "schema": schema})
        return found

    def get_request_serializer(self) -> Any:
        return None

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        if not self.order:
            return None
        schema = body_schema(self.order)
        return {"content": {"application/json": {"schema": schema}}, "required": bool(schema.get("required"))}

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        order = self.order
        kind = order.serializer if order else self.view.serializer_class
        row = self._map_serializer_ref(kind)
        schema = list_schema(row) if self.view.action == "list" else row
        done = {"description": "", "content": {"application/json": {"schema": schema}}}
        codes = self._codes(order)
        good = [str(int(order.status)) if order else "200", *(["200"] if order and order.may_exist else [])]
        return {code: done for code in good} | {code: _problem_answer(code) for code in codes}

    def _map_serializer_ref(self, kind: Any) -> dict[str, Any]:
        component = self.resolve_serializer(kind, "response")
        return dict(component.ref)

    def _codes(self, order: Order | None) -> list[str]:
        more = ["404"] if "{" in self.path else []
        return sorted({*EVERYWHERE, *more, *(("409", "413", "415") if order else ())})


def _problem_answer(code: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": ERRORS[code], "content": {problems.KIND: {"schema": schema}}}


def list_schema(row: dict[str, Any]) -> dict[str, Any]:
    """A page of rows."""
    following = {"type": ["string", "null"], "description": "The address of the next page."}
    properties = {"results": {"type": "array", "items": row}, "next": following}
    return {"type": "object", "properties": properties, "required": ["results", "next"]}


def list_parameters(resource: Any) -> list[dict[str, Any]]:
    """The parameters of a list."""
    kind = resource.filterset
    found = [_filter_parameter(name, one) for name, one in kind.base_filters.items()] if kind else []
    if not resource.is_paged:
        return found
    number = {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": DEFAULT_LIMIT}
    found.append({"in": "query", "name": LIMIT, "description": "How many rows at most.", "schema": number})
    text = "Where the page begins: a part of `next` of the page before."
    return [*found, {"in": "query", "name": CURSOR, "description": text, "schema": SOME_TEXT}]


def _filter_parameter(name: str, one: django_filters.Filter) -> dict[str, Any]:
    label = str(one.extra.get("label") or one.label or name)
    found: dict[str, Any] = {"in": "query", "name": name, "description": label, "schema": _filter_schema(one)}
    return found | ({"allowEmptyValue": True} if found["schema"].get("type") == "boolean" else {})


def _filter_schema(one: django_filters.Filter) -> dict[str, Any]:
    """Of what a filter takes. An empty text or choice chooses nothing; choices that depend on data are not listed."""
    choices = one.extra.get("choices")
    if isinstance(one, django_filters.ModelChoiceFilter):
        word = one.extra.get("null_value")
        key = {"type": "integer", "minimum": 1}
        return {"oneOf": [key, {"type": "string", "enum": [word]}]} if word and one.extra.get("null_label") else key
    if isinstance(one, django_filters.ChoiceFilter):
        is_known = choices is not None and not callable(choices)
        return {"type": "string", "enum": ["", *_values(choices)]} if is_known else {"type": "string"}
    if isinstance(one, django_filters.MultipleChoiceFilter):
        return {"type": "array", "items": {"type": "string", "enum": _values(choices)}}
    if isinstance(one, django_filters.BooleanFilter):
        return {"type": "boolean"}
    if isinstance(one, django_filters.DateFilter):
        return {"type": "string", "format": "date"}
    return _plain_schema(one.field_class(**_limits(one)))


def takes_empty(one: django_filters.Filter) -> bool:
    """Whether an empty value chooses nothing, as with texts, choices and flags. No number and no day is empty."""
    schema = _filter_schema(one)
    return schema.get("type") in ("boolean", "string") and "format" not in schema


def _limits(one: django_filters.Filter) -> dict[str, Any]:
    return {name: one.extra[name] for name in ("max_length", "max_value", "min_value") if name in one.extra}


def _values(choices: Any) -> list[str]:
    """The values of choices, those in groups as well."""
    found: list[str] = []
    for value, label in choices:
        found += _values(label) if isinstance(label, list | tuple) else [str(value)]
    return [value for value in dict.fromkeys(found) if value]


def body_schema(order: Order) -> dict[str, Any]:
    """The body of an order, from its form."""
    fields: dict[str, forms.Field] = {
        name: field
        for name, field in order.form.base_fields.items()  # type: ignore[attr-defined]
        if name not in order.left_out
    }
    required = [name for name, field in fields.items() if field.required and not order.partial]
    properties = {name: field_schema(field) | _described(field) for name, field in fields.items()}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _described(field: forms.Field) -> dict[str, str]:
    words = ". ".join(filter(None, (str(field.label or "").rstrip("."), str(field.help_text or ""))))
    return {"description": words} if words else {}


def field_schema(field: forms.Field) -> dict[str, Any]:
    """What a field of a form takes as JSON. Optional ones take null, required ones nothing that is empty to a form."""
    schema = _plain_schema(field)
    if field.required:
        return schema | _not_empty(field, schema)
    if isinstance(schema.get("type"), str) and schema["type"] != "boolean":
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], "", None]
    return schema


def _not_empty(field: forms.Field, schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(field, forms.BooleanField):
        return {"const": True}  # a box that has to be ticked
    least = {"array": "minItems", "string": "minLength"}.get(str(schema["type"]))
    return {least: 1} if least and "enum" not in schema and "format" not in schema else {}


def _plain_schema(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, forms.ModelMultipleChoiceField):
        return {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": MOST_AT_ONCE}
    if isinstance(field, forms.MultipleChoiceField):
        return {"type": "array", "items": {"type": "string"}, "maxItems": MOST_AT_ONCE}
    if isinstance(field, forms.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, forms.DateField):
        return {"type": "string", "format": "date"}
    if isinstance(field, forms.ModelChoiceField):
        return {"type": "integer", "minimum": 1}
    if isinstance(field, forms.DecimalField):
        return {"type": "string", "pattern": r"^\d{1,11}(\.\d{1,4})?$"}
    if isinstance(field, forms.IntegerField):
        return {"type": "integer"} | _bounds(field)
    if isinstance(field, forms.ChoiceField):
        known = _values(field.choices)
        return {"type": "string", "enum": known} if known else {"type": "string"}
    longest = getattr(field, "max_length", None)
    return {"type": "string"} | ({"maxLength": longest} if longest else {})


def _bounds(field: forms.IntegerField) -> dict[str, Any]:
    named = {"minimum": field.min_value, "maximum": field.max_value}
    return {name: value for name, value in named.items() if value is not None}


def add_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add what every operation refers to. A hook of drf-spectacular."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["securitySchemes"] = SECURITY
    return result


@cache
def read_document(patterns: tuple[URLPattern, ...]) -> dict[str, Any]:
    """The document of these addresses. It says nothing about the installation, so it is the same for everybody."""
    under = [path("api/v1/", include(list(patterns)))]
    found: dict[str, Any] = SchemaGenerator(patterns=under).get_schema(request=None, public=True)
    return found

"""The OpenAPI document as a page shows it: operations in their groups, with parameters, bodies and answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.urls import URLPattern

from samsaas import policy
from samsaas.api import schema

LISTED = 12  # values of an enumeration


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    about: str
    required: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation. `role` is what an account, and its token, have to hold."""

    key: str
    method: str
    path: str
    summary: str
    description: str
    role: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]


@dataclass
class OperationGroup:
    """The operations on rows of one kind, and the fields of a row."""

    name: str
    key: str
    about: str
    operations: list[Operation] = field(default_factory=list)
    fields: tuple[Field, ...] = ()


@cache
def list_groups(patterns: tuple[URLPattern, ...]) -> list[OperationGroup]:
    """The operations by resource, in the order of the document."""
    document = schema.read_document(patterns)
    groups: dict[str, OperationGroup] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation["tags"][0]
            group = groups.setdefault(tag, OperationGroup(_in_words(tag), tag.lower(), operation["description"]))
            group.operations.append(_read_operation(path, method, operation))
            group.fields = group.fields or _read_fields({**_row_schema(operation, document), "required": ()})
    return list(groups.values())


def _in_words(tag: str) -> str:
    """`SoftwareModels` as people write it."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in tag)
    return spaced.strip().capitalize()


def _read_operation(path: str, method: str, operation: dict[str, Any]) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        key=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        role=policy.required_role(f"api:{operation['x-url-name']}", method.upper()) or "",
        parameters=tuple(_read_parameter(one) for one in operation.get("parameters", ())),
        body=_read_fields(body),
        answers=tuple((code, one["description"]) for code, one in operation["responses"].items()),
    )


def _read_parameter(one: dict[str, Any]) -> Field:
    return Field(one["name"], describe_type(one["schema"]), one.get("description", ""), one.get("required", False))


def _row_schema(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema of the row that an operation answers with."""
    done = next(one for code, one in operation["responses"].items() if code.startswith("2"))
    found = done["content"]["application/json"]["schema"]
    found = found.get("properties", {}).get("results", {}).get("items", found)
    named: dict[str, Any] = document["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return named


def _read_fields(found: dict[str, Any]) -> tuple[Field, ...]:
    required = found.get("required", ())
    return tuple(
        Field(name, describe_type(one), one.get("description", ""), name in required)
        for name, one in found.get("properties", {}).items()
    )


def describe_type(found: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "oneOf" in found:
        return " or ".join(describe_type(one) for one in found["oneOf"])
    if "$ref" in found:
        return "object"
    kinds = found.get("type", "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if listed := [str(value) for value in found.get("enum", ()) if value not in ("", None)]:
        return ", ".join(listed[:LISTED]) + (" …" if len(listed) > LISTED else "")
    return f"{words} ({found['format']})" if "format" in found else words

"""Check a route's argument as strictly as Dropbox, with the words of its refusals."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from profiles.connectors.dropbox.sandbox.messages import Answered, as_text

MISSING: Any = object()
Check = Callable[[Any], str]
ACCOUNT_ID = 40


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an argument. `check` returns "" or what is wrong. A field without a default is required."""

    check: Check
    default: Any = MISSING


def boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else f"expected boolean, got {json_kind(value)}"


def text(value: Any) -> str:
    return "" if isinstance(value, str) else f"expected string, got {json_kind(value)}"


def some_text(value: Any) -> str:
    return text(value) or ("" if value else "must have at least one character")


def account_id(value: Any) -> str:
    """An AccountId: exactly 40 characters."""
    return text(value) or ("" if len(value) == ACCOUNT_ID else f"must have {ACCOUNT_ID} characters")


def whole(least: int, most: int) -> Check:
    """A check for a whole number between `least` and `most`."""

    def check(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"expected integer, got {json_kind(value)}"
        return "" if least <= value <= most else f"{value} is not within range [{least}, {most}]"

    return check


def read_moment(value: Any) -> dt.datetime | None:
    """Parse a DropboxTimestamp; None where it is not one."""
    try:
        return dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except (TypeError, ValueError):
        return None


def time_range(value: Any) -> str:
    """A TimeRange: an object of timestamps without fractions."""
    if not isinstance(value, dict):
        return f"expected object, got {json_kind(value)}"
    if unknown := set(value) - {"start_time", "end_time"}:
        return f"unknown field '{min(unknown)}'"
    return next((f"{name}: time data does not match format" for name in value if read_moment(value[name]) is None), "")


def union(value: Any) -> str:
    """One member of a union."""
    return "" if isinstance(tag_of(value), str) else "expected union member"


def tags(value: Any) -> str:
    """A list of void union members, as a bare string or as a tagged object."""
    if not isinstance(value, list):
        return f"expected list, got {json_kind(value)}"
    return "" if all(isinstance(tag_of(one), str) for one in value) else "expected union member"


def selectors(value: Any) -> str:
    """A list of UserSelectorArg."""
    if not isinstance(value, list):
        return f"expected list, got {json_kind(value)}"
    return next((wrong for one in value if (wrong := selector(one))), "")


def selector(value: Any) -> str:
    """A UserSelectorArg: exactly one way to identify a user, with its tag."""
    tag = tag_of(value)
    if tag not in ("team_member_id", "external_id", "email") or not isinstance(value, dict):
        return "expected UserSelectorArg"
    return "" if isinstance(value.get(tag), str) and set(value) == {".tag", tag} else f"missing field '{tag}'"


def optional_selector(value: Any) -> str:
    """A UserSelectorArg, or nothing."""
    return "" if value is None else selector(value)


def tag_of(value: Any) -> Any:
    return value.get(".tag") if isinstance(value, dict) else value


def json_kind(value: Any) -> str:
    """What Dropbox calls a JSON value of this type."""
    names = {type(None): "null", bool: "boolean", int: "integer", float: "float", str: "string", list: "list"}
    return names.get(type(value), "object")


def refuse(route: str, reason: str) -> Answered:
    """The 400 for a malformed call, as plain text with the route's name."""
    return Answered(as_text(f'Error in call to API function "{route}": {reason}'))


def read(route: str, body: bytes, fields: Mapping[str, Field] | None) -> dict[str, Any]:
    """Parse an argument and fill in defaults. `fields` None means a void argument, which is the JSON text null."""
    try:
        value = json.loads(body)
    except ValueError:
        raise refuse(route, "request body: could not decode input as JSON") from None
    if fields is None:
        if value is not None:
            raise refuse(route, "request body: expected null, got value")
        return {}
    if not isinstance(value, dict):
        raise refuse(route, f"request body: expected object, got {json_kind(value)}")
    for name in value:
        if name not in fields:
            raise refuse(route, f"request body: unknown field '{name}'")
    return {name: _read_field(route, name, field, value) for name, field in fields.items()}


def _read_field(route: str, name: str, field: Field, value: dict[str, Any]) -> Any:
    found = value.get(name, field.default)
    if found is MISSING:
        raise refuse(route, f"request body: missing required field '{name}'")
    if name in value and (wrong := field.check(found)):
        raise refuse(route, f"request body: {name}: {wrong}")
    return found

"""Bodies of answers: an object in JSON, whatever its texts; and the form of an unreadable one.

Two unreadable answers can be compared by their forms, without keeping either.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from profiles.connectors.refusals import form_of
from profiles.connectors.transport import Answer

DEEPEST = 6
MOST_ITEMS = 50
BEGINNING = 400
CHANGING = re.compile(r"[0-9a-f]{6,}|\d+", re.IGNORECASE)  # ids, times and numbers differ from answer to answer


def read_object(body: bytes) -> dict[str, Any] | None:
    """The object that a body is in JSON; None for any other body. Broken characters in its texts do not matter."""
    try:
        found = json.loads(body.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def fingerprint_of(call: str, answer: Answer) -> str:
    """A short text that is the same for two answers to a call if their bodies have the same form.

    The form of JSON is its keys and the types of its values; that of any other body is its beginning without numbers.
    """
    try:
        form = _shape_of(json.loads(answer.body), DEEPEST)
    except (ValueError, RecursionError):
        form = form_of(answer) + CHANGING.sub("#", answer.body[:BEGINNING].decode("utf-8", "replace"))
    return hashlib.sha256(f"{call}\n{answer.status}\n{form}".encode("utf-8", "replace")).hexdigest()[:32]


def _shape_of(value: Any, depth: int) -> str:
    if not depth:
        return "…"
    if isinstance(value, dict):
        pairs = sorted(value.items())[:MOST_ITEMS]
        return "{" + ",".join(f"{key[:100]}:{_shape_of(one, depth - 1)}" for key, one in pairs) + "}"
    if isinstance(value, list):
        return "[" + "|".join(sorted({_shape_of(one, depth - 1) for one in value[:MOST_ITEMS]})) + "]"
    return type(value).__name__

"""An import's lines in words, for its pages."""

from __future__ import annotations

from typing import Any

from django import template

from subscriptions import people_file
from subscriptions.models import PersonImportRow
from subscriptions.people_differences import ADDRESSES
from subscriptions.people_file import EMAILS, HEADINGS, KEY, LEFT_ON, NAME

register = template.Library()


@register.simple_tag
def row_changes(row: PersonImportRow) -> list[dict[str, Any]]:
    """What a line changes, or gives a new person: column, what it was, and what it will be, as it was read."""
    values = people_file.parsed(row.values["cells"])
    read = {ADDRESSES: ", ".join(values.addresses or []), **values.fields}
    before = row.values.get("before", {})
    given = [name for name, value in read.items() if value and name not in (KEY, NAME)]
    return [
        {
            "label": HEADINGS[EMAILS if name == ADDRESSES else name][0].capitalize(),
            "was": _words(name, before.get(name)),
            "now": _words(name, read.get(name)) or ("still here" if name == LEFT_ON else ""),
        }
        for name in (given if row.effect == PersonImportRow.Effect.NEW else before)
    ]


def _words(name: str, value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")

"""The changes that a line of an import makes, in words, for its pages."""

from __future__ import annotations

from typing import Any

from django import template

from subscriptions.models import PersonImportRow
from subscriptions.people.imports import file as people_file
from subscriptions.people.imports.differences import ADDRESSES
from subscriptions.people.imports.file import EMAILS, HEADINGS, KEY, LEFT_ON, NAME

register = template.Library()


@register.simple_tag
def row_changes(row: PersonImportRow) -> list[dict[str, Any]]:
    """The columns that a line changes or gives to a new person, with the value before and after."""
    values = people_file.parse_cells(row.values["cells"])
    now = {ADDRESSES: values.addresses, **values.fields}
    before = row.values.get("before", {})
    new = row.effect == PersonImportRow.Effect.NEW
    shown = {name for name in now if now[name]} - {KEY, NAME} if new else set(before)
    return [
        {
            "label": headings[0].capitalize(),
            "was": _value_text(before.get(name)),
            "now": _value_text(now.get(name)) or ("active" if name == LEFT_ON else ""),
        }
        for column, headings in HEADINGS.items()
        if (name := ADDRESSES if column == EMAILS else column) in shown
    ]


def _value_text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")

"""An import's lines in words, for its pages."""

from __future__ import annotations

from typing import Any

from django import template

from subscriptions.models import PersonImportRow
from subscriptions.people_differences import ADDRESSES
from subscriptions.people_file import EMAILS, HEADINGS

register = template.Library()


@register.simple_tag
def row_changes(row: PersonImportRow) -> list[dict[str, Any]]:
    """What a changed line changes: column, what it was, what it will be."""
    cells = row.values.get("cells", {})
    return [
        {
            "label": HEADINGS[EMAILS if name == ADDRESSES else name][0].capitalize(),
            "was": ", ".join(was) if isinstance(was, list) else was,
            "now": cells.get(EMAILS if name == ADDRESSES else name, ""),
        }
        for name, was in row.values.get("before", {}).items()
    ]

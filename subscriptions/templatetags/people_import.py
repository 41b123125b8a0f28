"""An import and its lines in words, for its pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.text import Truncator

from samsaas.lib.markup import icon, number, outside, pill
from samsaas.lib.spreadsheets import encodings
from samsaas.templatetags.ui import ago
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.people.imports import feed
from subscriptions.people.imports.columns import EMAILS, KEY, LABELS, LEFT_ON, NAME
from subscriptions.people.imports.differences import ADDRESSES
from subscriptions.people.imports.parse_cells import parse_cells

register = template.Library()

# What a line would do -> tone, icon and word.
EFFECTS: dict[str, tuple[str, str, str]] = {
    PersonImportRow.Effect.NEW: ("good", "plus", "New"),
    PersonImportRow.Effect.CHANGED: ("info", "pencil", "Changed"),
    PersonImportRow.Effect.BACK: ("warn", "user-circle", "Returned"),
    PersonImportRow.Effect.SAME: ("idle", "check", "Unchanged"),
    PersonImportRow.Effect.REFUSED: ("bad", "x", "Refused"),
}
# The state of an import whose job has ended -> how its pill looks.
LOOKS: dict[str, str] = {PersonImport.State.UNREADABLE: "failed", PersonImport.State.APPLIED: "yes"}


@register.filter
def import_state(upload: PersonImport) -> str:
    """The state of an import: of its job while there is one, and then of the file."""
    if upload.waits:
        return pill("warning", "To be confirmed")
    if upload.state == PersonImport.State.CHOOSING:
        return pill("warning", upload.get_state_display())
    if upload.broke_off:
        return pill("failed", "Not read")
    if upload.at_work:
        return pill("running", upload.get_state_display())
    return pill(LOOKS.get(upload.state, "canceled"), upload.get_state_display())


@register.filter
def import_history(upload: PersonImport) -> str:
    """When a file came, from whom, and when it was applied."""
    who = format_html(" by {}", upload.uploaded_by.get_username()) if upload.uploaded_by else ""
    applied = format_html(", applied {}", ago(upload.applied_at)) if upload.applied_at else ""
    came = "Fetched" if upload.fetched else "Uploaded"
    return format_html("{} {}{}{}.", came, ago(upload.uploaded_at), who, applied)


@register.filter
def import_applied(upload: PersonImport) -> str:
    """What applying a file has done to the directory."""
    counts = {name: upload.counters.get(name) or 0 for name in ("new", "changed", "back", "leavers")}
    done = [
        f"{number(counts['new'])} {'person' if counts['new'] == 1 else 'people'} added",
        f"{number(counts['changed'])} changed",
        f"{number(counts['back'])} returned" if counts["back"] else "",
        f"{number(counts['leavers'])} marked as {'a leaver' if counts['leavers'] == 1 else 'leavers'}",
    ]
    return ", ".join(filter(None, done)) + "."


@register.filter
def fetched_holds(upload: PersonImport) -> list[str]:
    """Why a file that was fetched waits for a person."""
    return feed.list_holds(upload) if upload.fetched else []


@register.filter
def how_read(upload: PersonImport) -> str:
    """What a person said of the way a file is written, now or of an earlier one, and which lines count once."""
    repeated = upload.counters.get("repeated", 0)
    lines = "line repeats another one and counts" if repeated == 1 else "lines repeat others and count"
    told = [
        f"Its letters are read as {encodings.CHOICES[upload.encoding]}." if upload.encoding else "",
        "Its columns are those that were chosen for an earlier file with these headings."
        if upload.counters.get("remembered")
        else "",
        f"{repeated:,} {lines} once." if repeated else "",
    ]
    return " ".join(filter(None, told))


@register.filter
def long_text(text: str, most: int) -> str:
    """A text that shows this many letters of itself; the rest opens, without JavaScript too."""
    if len(text) <= most:
        return outside(text)
    return format_html(
        '<details class="long"><summary>{}</summary>{}</details>', outside(Truncator(text).chars(most)), outside(text)
    )


@register.filter
def import_effect(row: PersonImportRow) -> str:
    """What a line of the file would do, as a pill."""
    tone, name, word = EFFECTS[row.effect]
    return format_html('<span class="pill pill-{}">{}<span>{}</span></span>', tone, icon(name), word)


@register.simple_tag
def row_changes(row: PersonImportRow) -> list[dict[str, Any]]:
    """The columns that a line changes or gives to a new person, with the value before and after."""
    values = parse_cells(row.good_cells)
    now = {ADDRESSES: values.addresses, **values.fields}
    before = row.values.get("before", {})
    new = row.effect == PersonImportRow.Effect.NEW
    shown = {name for name in now if now[name]} - {KEY, NAME} if new else set(before)
    return [
        {
            "label": label.capitalize(),
            "was": _value_text(before.get(name)),
            "now": _value_text(now.get(name)) or ("active" if name == LEFT_ON else ""),
        }
        for column, label in LABELS.items()
        if (name := ADDRESSES if column == EMAILS else column) in shown
    ]


@register.filter
def former_addresses(row: PersonImportRow) -> str:
    """Which addresses a line takes off the person; they stay known. Empty if it takes none."""
    before = row.values.get("before", {}).get(ADDRESSES, [])
    now = parse_cells(row.good_cells).addresses or []
    gone = [address for address in before if address not in now]
    if not gone:
        return ""
    return f"{', '.join(gone)} {'stays' if len(gone) == 1 else 'stay'} known as former."


def _value_text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")

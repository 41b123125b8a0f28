"""Entitlements on pages: state, rights, cost and term."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.utils import timezone

from samsaas.lib.markup import NOTHING, outside, pill
from subscriptions.entitlements import words
from subscriptions.entitlements.terms import DerivedState
from subscriptions.models import Entitlement, EntitlementImport, EntitlementImportRow

register = template.Library()

# State -> the look of its pill.
LOOKS: dict[str, str] = {
    DerivedState.BUILD: "draft",
    DerivedState.PENDING: "open",
    DerivedState.IN_USE: "active",
    DerivedState.SUPERSEDED: "ended",
    DerivedState.EXPIRED: "warning",
    DerivedState.RETIRED: "closed",
}
EFFECTS: dict[str, str] = {
    EntitlementImportRow.Effect.NEW: "yes",
    EntitlementImportRow.Effect.SAME: "no",
    EntitlementImportRow.Effect.REFUSED: "missing",
}
BAR = 1000  # width of the drawing of a term


@register.filter
def state_pill(state: str) -> str:
    """What people call the state of an entitlement, as a pill."""
    return pill(LOOKS.get(state, ""), str(DerivedState(state).label)) if state in DerivedState.values else NOTHING


@register.filter
def rights(one: Entitlement) -> str:
    """How many rights it has."""
    return words.write_rights(one)


@register.filter
def yearly_cost(one: Entitlement) -> str:
    """What all its rights cost a year; a dash where that is not known."""
    text = words.write_yearly_cost(one)
    return NOTHING if text == words.UNKNOWN else text


@register.filter
def price(one: Entitlement) -> str:
    """What one right costs a year."""
    return words.write_price(one)


@register.filter
def term(one: Entitlement) -> str:
    """From when to when it counts."""
    return words.write_term(one)


@register.simple_tag
def given_cost(one: Entitlement, name: str) -> str:
    """Unit cost or total cost as it was recorded."""
    return words.write_given_cost(getattr(one, name), one.currency) or NOTHING


@register.filter
def term_bar(one: Entitlement) -> dict[str, Any]:
    """Where today stands in a term, for its drawing. Empty for one without an end."""
    if one.end is None:
        return {}
    today = timezone.localdate()
    days, past = (one.end - one.start).days + 1, (today - one.start).days
    done = max(0, min(days, past))
    return {"width": BAR, "done": BAR * done // days, "sentence": _term_sentence(one.start, one.end, today)}


def _term_sentence(start: date, end: date, today: date) -> str:
    if today < start:
        return f"Begins in {_days((start - today).days)}."
    if today > end:
        return f"Ended {_days((today - end).days)} ago."
    return f"{_days((end - today).days + 1)} left of {_days((end - start).days + 1)}."


def _days(count: int) -> str:
    return f"{count:,} day{'' if count == 1 else 's'}"


@register.filter
def file_state(upload: EntitlementImport) -> str:
    """The state of an import of a file: of its job while there is one, and then of the file."""
    if upload.waits:
        return pill("warning", "To be confirmed")
    if upload.broke_off:
        return pill("failed", "Not read")
    if upload.at_work:
        return pill("running", upload.get_state_display())
    looks: dict[str, str] = {"unreadable": "failed", "applied": "yes", "choosing": "warning"}
    return pill(looks.get(upload.state, "canceled"), upload.get_state_display())


@register.filter
def row_cost(row: EntitlementImportRow) -> str:
    """The cost of a line as the file says it: for one right, or for all."""
    cells = row.values.get("cells", {})
    said = [
        f"{cells[key]} {words}" for key, words in (("unit_cost", "a right"), ("total_cost", "in all")) if cells.get(key)
    ]
    period, currency = cells.get("period", ""), cells.get("currency", "")
    return outside(", ".join(filter(None, (*said, currency if said else "", period.lower() if said else ""))))


@register.filter
def row_effect(row: EntitlementImportRow) -> str:
    """What a line of a file would become, as a pill."""
    return pill(EFFECTS[row.effect], row.get_effect_display())

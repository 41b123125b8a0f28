"""Whose subscriptions would change, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from samsaas.lib.markup import number
from subscriptions.models import PersonImportOverlap

register = template.Library()


@register.filter
def users_would_change(changes: Any) -> str:
    """How many subscriptions would lose, change and gain a user: of a preview, or of the counters of an import."""
    counts = changes if isinstance(changes, Mapping) else vars(changes)
    loses, passes, gains = (counts.get(name, 0) for name in ("loses", "changes", "gains"))
    parts = [
        f"{number(loses)} {'loses its user' if loses == 1 else 'lose their user'}" if loses else "",
        f"{number(passes)} {'passes' if passes == 1 else 'pass'} to another person" if passes else "",
        f"{number(gains)} {'gains' if gains == 1 else 'gain'} a user" if gains else "",
    ]
    said = [part for part in parts if part]
    if not said:
        return "No subscription changes its user."
    first = loses or passes or gains
    subject = "subscription" if first == 1 else "subscriptions"
    count, rest = said[0].split(" ", 1)
    return f"{', '.join([f'{count} {subject} {rest}', *said[1:]])}."


@register.filter
def users_lose(taken: int) -> str:
    """What a tick confirms: subscriptions that are taken off somebody who is here."""
    if taken == 1:
        return "1 subscription would be taken from its user."
    return f"{number(taken)} subscriptions would be taken from their users."


@register.filter
def overlap_text(overlap: PersonImportOverlap) -> str:
    """What a line of a file has in common with somebody else."""
    other = f"{overlap.name} ({overlap.key})"
    more = f" and {number(overlap.others - 1)} more" if overlap.others > 1 else ""
    if overlap.kind == PersonImportOverlap.Kind.ADDRESS:
        return f"{overlap.text} is an address of {other}{more}, too."
    return f"{other}{more} has a number that differs only in leading zeros or capitals."


@register.filter
def tick_label(upload: Any) -> str:
    """What the second tick of an import says."""
    taken = upload.counters.get("seats", {}).get("taken")
    return "Yes, this is right" if taken else "Yes, these people have left"

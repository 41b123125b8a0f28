"""Form fields and checks that several forms use."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

# All other time zones are old names of these places, or no places.
AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


@cache
def zones_by_area() -> list[tuple[str, list[tuple[str, str]]]]:
    """The time zones that this machine knows, as choices grouped by area."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS and "/" in name)
    return [
        (area, [(name, name.replace("_", " ")) for name in found])
        for area, found in groupby(names, key=lambda name: name.partition("/")[0])
    ]


def zone_field(inherited: str, stored: str) -> forms.ChoiceField:
    """A choice of time zone. Empty means the inherited one. A stored zone stays a choice, even under an old name."""
    offered = {"UTC", *(name for _, places in zones_by_area() for name, _ in places)}
    odd = [(stored, stored)] if stored and stored not in offered else []
    choices: list[Any] = [("", f"Inherited: {inherited}"), *odd, ("UTC", "UTC"), *zones_by_area()]
    return forms.ChoiceField(label="Time zone", required=False, choices=choices)


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


def require_printable(text: str) -> str:
    """The same text. Raises `ValidationError` if a character cannot be shown, such as a control character."""
    if not text.isprintable():
        raise ValidationError("This contains characters that cannot be shown.")
    return text

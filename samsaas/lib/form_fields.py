"""Form fields and checks that several forms share."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

# The others are old names of these places, or no places.
AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


@cache
def zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """The places this machine knows, by area."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS and "/" in name)
    return [
        (area, [(name, name.replace("_", " ")) for name in found])
        for area, found in groupby(names, key=lambda name: name.partition("/")[0])
    ]


def zone_field(inherited: str, stored: str) -> forms.ChoiceField:
    """A zone that exists, or nothing, which means the inherited one. One stored before stays, whatever it is called."""
    offered = {"UTC", *(name for _, places in zones() for name, _ in places)}
    odd = [(stored, stored)] if stored and stored not in offered else []
    choices: list[Any] = [("", f"Inherited: {inherited}"), *odd, ("UTC", "UTC"), *zones()]
    return forms.ChoiceField(label="Time zone", required=False, choices=choices)


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


def printable(text: str) -> str:
    if not text.isprintable():
        raise ValidationError("This holds characters that cannot be shown.")
    return text

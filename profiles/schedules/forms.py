"""Form of a scheduled job, and the choice of a time zone."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms

from profiles.aliases import inheritance
from profiles.models import ScheduledJob

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


class ScheduleForm(forms.ModelForm):
    """Time of day and zone of the download job; what is left empty is inherited, and says from where."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ScheduledJob
        fields = ("refresh_at", "zone")
        widgets = {"refresh_at": time_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        alias = self.instance.profile.alias
        at, zone = (inheritance.setting(alias, name) for name in ("refresh_at", "zone"))
        self.fields["refresh_at"].help_text = f"Local time. Empty: {at.value}, {at.origin}."
        self.fields["zone"] = zone_field(zone.value, self.instance.zone)
        self.fields["zone"].help_text = f"Inherited: {zone.value}, {zone.origin}."

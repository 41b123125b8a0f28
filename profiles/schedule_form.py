"""Form of a scheduled job, and the choice of a time zone."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms

from profiles import inheritance
from profiles.models import ScheduledJob


@cache
def zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every zone this machine knows, by region; places without a region come first."""
    names = sorted(available_timezones(), key=lambda name: ("/" in name, name))
    return [
        (region, [(name, name.replace("_", " ")) for name in found])
        for region, found in groupby(names, key=lambda name: name.partition("/")[0] if "/" in name else "General")
    ]


def zone_field(inherited: str) -> forms.ChoiceField:
    """A zone that exists, or nothing, which means the inherited one."""
    choices: list[Any] = [("", f"Inherited: {inherited}"), *zones()]
    return forms.ChoiceField(label="Time zone", required=False, choices=choices)


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class ScheduleForm(forms.ModelForm):
    """Time of day and zone of the download job; what is left empty is inherited, and says from where."""

    class Meta:
        model = ScheduledJob
        fields = ("refresh_at", "zone")
        widgets = {"refresh_at": time_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alias = self.instance.profile.alias
        at, zone = (inheritance.setting(alias, name) for name in ("refresh_at", "zone"))
        self.fields["refresh_at"].help_text = f"Local time. Empty: {at.value}, {at.origin}."
        self.fields["zone"] = zone_field(zone.value)
        self.fields["zone"].help_text = f"Inherited: {zone.value}, {zone.origin}."

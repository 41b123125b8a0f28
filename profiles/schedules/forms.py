"""The form of a scheduled job."""

from __future__ import annotations

from typing import Any

from django import forms

from profiles.aliases import inheritance
from profiles.models import ScheduledJob
from samsaas.lib.form_fields import time_input, zone_field


class ScheduleForm(forms.ModelForm):
    """Time of day and zone of the download job. The help text says where an empty field is inherited from."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ScheduledJob
        fields = ("refresh_at", "zone")
        widgets = {"refresh_at": time_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        alias = self.instance.profile.alias
        at, zone = (inheritance.setting_of(alias, name) for name in ("refresh_at", "zone"))
        self.fields["refresh_at"].help_text = f"Local time. Empty: {at.value}, {at.origin}."
        self.fields["zone"] = zone_field(zone.value, self.instance.zone)
        self.fields["zone"].help_text = f"Inherited: {zone.value}, {zone.origin}."

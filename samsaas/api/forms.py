"""The form of a new API token. It validates and never acts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone

from samsaas import roles
from samsaas.api.tokens import LONGEST_LIFE
from samsaas.lib.form_fields import require_printable
from samsaas.lib.text_forms import clean_text
from samsaas.models import ApiToken

MEANINGS = {
    roles.ADMIN: "all that you may do",
    roles.SAM_INTEGRATOR: "reads, reconciles, starts downloads",
    roles.SAM_ADMIN: "reads all, decides on candidates, requests removals",
    roles.SAM_USER: "reads, reconciles, records entitlements, proposes",
}


class TokenForm(forms.Form):
    """What the token is for, what it may do at most, and until when."""

    name = forms.CharField(
        max_length=ApiToken._meta.get_field("name").max_length,
        help_text="The program that uses it, such as “Power BI, finance”.",
    )
    role = forms.ChoiceField(help_text="It never may do more than your account may at that moment.")
    last_day = forms.DateField(
        label="Valid until",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The last day. At most a year from today.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = roles.roles_of(user)
        offered = [(name, f"{name}: {MEANINGS[name]}") for name in reversed(roles.ROLES) if name in held]
        self.fields["role"].choices = offered  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return clean_text(require_printable(self.cleaned_data["name"]))

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        today = timezone.localdate()
        if not today <= day <= today + LONGEST_LIFE:
            raise forms.ValidationError("Choose a day from today on, within a year.")
        return day

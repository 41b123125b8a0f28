"""The form of a limit. It validates and never acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from profiles.models import LimitedSight
from samsaas import roles
from samsaas.lib.form_fields import require_printable
from samsaas.lib.opened_form import OpenedForm


class AccountsField(forms.ModelMultipleChoiceField):
    """Accounts as boxes, each with whose it is."""

    def label_from_instance(self, obj: Any) -> str:
        name, username = obj.get_full_name(), obj.get_username()
        return f"{username} ({name})" if name else str(username)


class SightForm(OpenedForm):
    """A limit. Administrators can never be limited, so they cannot be chosen."""

    accounts = AccountsField(
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=LimitedSight._meta.get_field("accounts").help_text,
    )

    class Meta:
        model = LimitedSight
        fields = ("name", "profiles", "accounts")
        widgets = {"profiles": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        administrators = roles.accounts_with(roles.ADMIN).values("pk")
        choices: Any = self.fields["accounts"]
        choices.queryset = User.objects.filter(is_active=True).exclude(pk__in=administrators).order_by("username")

    def clean_name(self) -> str:
        return require_printable(self.cleaned_data["name"])

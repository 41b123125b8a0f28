"""Form of an alias: its name, its own connection, and the settings it overrides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from profiles.aliases import inheritance
from profiles.connection.forms import ClientForm, credentials_of
from profiles.connectors import base
from profiles.models import ConnectionAlias, Credential
from samsaas.lib.form_fields import time_input, zone_field
from samsaas.lib.opened_form import OpenedForm

ALIAS_NAME = RegexValidator(r"\A[A-Za-z0-9_]+\Z", "Use letters, digits and underscores only.")


class AliasForm(ClientForm):
    """Create or change an alias. A parent keeps the name the vendor's registry gave it."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ConnectionAlias
        fields = ("name", *ConnectionAlias.SETTINGS)
        widgets = {"refresh_at": time_input()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alias: ConnectionAlias = self.instance
        self.initial["version"] = alias.version
        if alias.parent is None:
            del self.fields["name"]
        else:
            self.fields["name"].validators.append(ALIAS_NAME)
            self.fields["name"].help_text = "Letters, digits and underscores."
        for name in ConnectionAlias.SETTINGS:
            self._explain_inherited(name, inheritance.without_own(alias, name))
        stored = self.stored_credentials()
        # An alias may wait for its connection until a profile uses it.
        self.fields["client_id"].required = base.SUBSCRIPTIONS in stored
        self.show_clients(stored)

    def _explain_inherited(self, name: str, inherited: inheritance.Setting) -> None:
        if name == "zone":
            self.fields[name] = zone_field(inherited.value, self.instance.zone)
        field = self.fields[name]
        field.label = inherited.label
        field.help_text = f"Empty: {inherited.value}, {inherited.origin}."
        if isinstance(field, forms.IntegerField):
            field.widget.attrs["placeholder"] = inherited.value

    def stored_credentials(self) -> dict[str, Credential]:
        return credentials_of(self.instance if self.instance.pk else None)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if ConnectionAlias.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Another alias has this name.")
        return name


class LimitsForm(OpenedForm):
    """How many removals a team allows, without a second person and at all."""

    class Meta:
        model = ConnectionAlias
        fields = ConnectionAlias.LIMITS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ConnectionAlias.LIMITS:
            inherited = inheritance.without_own(self.instance, name)
            self.fields[name].label = inherited.label
            self.fields[name].help_text = f"Empty: {inherited.value}, {inherited.origin}."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        quota, ceiling = (cleaned.get(name) for name in ConnectionAlias.LIMITS)
        if quota and ceiling and quota > ceiling:
            self.add_error("reclaim_quota", "This cannot be more than what is possible in 7 days at all.")
        return cleaned

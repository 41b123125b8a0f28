"""The part of a form that takes the client id and secret of each purpose. Stored secrets are never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from profiles.connection import credentials
from profiles.connectors import base
from profiles.models import ConnectionAlias, Credential
from samsaas.lib.secrets_form import SecretsForm

KEY_SHAPE = RegexValidator(r"\A[\x21-\x7e]+\Z", "This contains a space or another character that keys never have.")
STORED = "Stored and encrypted. Leave empty to keep it."
UNREADABLE = (
    "Stored secrets cannot be decrypted now, so this one would be lost when the right key is back. "
    "Ask the operator to run manage.py doctor first."
)
PURPOSES = ((base.SUBSCRIPTIONS, ""), (base.RECLAMATION, "reclamation_"))


def key_field(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=255,
        required=required,
        validators=[KEY_SHAPE],
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def secret_field(label: str, help_text: str) -> forms.CharField:
    """A write-only field: the page never shows the stored secret, and an empty field leaves it unchanged."""
    return forms.CharField(
        label=label,
        max_length=1000,
        required=False,
        validators=[KEY_SHAPE],
        help_text=help_text,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )


def credentials_of(alias: ConnectionAlias | None) -> dict[str, Credential]:
    """An alias's credentials by purpose; empty without an alias."""
    return {credential.purpose: credential for credential in alias.credentials.all()} if alias else {}


def changes_clients(alias_id: int | None, posted: Mapping[str, str]) -> bool:
    """Whether a posted form has a secret, or another client id than the alias."""
    stored = dict(Credential.objects.filter(alias=alias_id).values_list("purpose", "client_id"))
    return any(
        posted.get(f"{prefix}client_secret") or posted.get(f"{prefix}client_id", "").strip() != stored.get(purpose, "")
        for purpose, prefix in PURPOSES
    )


class ClientForm(SecretsForm, forms.ModelForm):
    """Client ids and secrets, checked against the credentials that `stored_credentials` returns."""

    secret_fields = ("client_secret", "reclamation_client_secret")

    client_id = key_field("Client ID", "The App key of your app.")
    client_secret = secret_field("Client secret", "The App secret of your app. It is encrypted and never shown again.")
    reclamation_client_id = key_field(
        "Reclamation client ID", "Only if a second app reclaims. Empty: one app serves both.", required=False
    )
    reclamation_client_secret = secret_field("Reclamation client secret", "The App secret of the second app.")

    def stored_credentials(self) -> dict[str, Credential]:
        """The stored credentials that the entered client ids and secrets are for."""
        raise NotImplementedError

    def show_clients(self, shown: dict[str, Credential]) -> None:
        """Fill in the stored client ids, and say that their secrets are stored."""
        for purpose, prefix in PURPOSES:
            if purpose in shown:
                self.initial[f"{prefix}client_id"] = shown[purpose].client_id
                self.fields[f"{prefix}client_secret"].help_text = STORED

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.require_kept()
        held = self.stored_credentials()
        for purpose, prefix in PURPOSES:
            self._clean_client(prefix, held.get(purpose))
        main, second = cleaned.get("client_id"), cleaned.get("reclamation_client_id")
        if main and main == second:
            self.add_error(
                "reclamation_client_id", "This is the same app. Leave it empty: one app serves both purposes."
            )
        elif second and not main and "client_id" not in self.errors:
            self.add_error("client_id", "A second app needs a first one, which downloads.")
        return cleaned

    def _clean_client(self, prefix: str, held: Credential | None) -> None:
        """A client id and its secret belong together; an unchanged id may leave the secret empty."""
        client_id = self.cleaned_data.get(f"{prefix}client_id", "")
        secret = self.cleaned_data.get(f"{prefix}client_secret", "")
        if self.errors.keys() & {f"{prefix}client_id", f"{prefix}client_secret"}:
            return
        if secret and credentials.any_unreadable():
            self.add_error(f"{prefix}client_secret", UNREADABLE)
        elif secret and not client_id:
            self.add_error(f"{prefix}client_id", "A secret without its client ID cannot be used.")
        elif client_id and not secret and (held is None or held.client_id != client_id):
            self.add_error(
                f"{prefix}client_secret", "Another app has another secret: enter the secret of this client ID."
            )

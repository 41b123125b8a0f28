"""Forms of the integration profile. They validate and never act; secrets are write-only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import timezone

from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile

LOOK_BACK = timedelta(days=60)
KEY_SHAPE = RegexValidator(r"\A[\x21-\x7e]+\Z", "This holds a space or another character that keys never have.")
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"


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
    """A secret goes in and never comes out: the page shows none, and empty means unchanged."""
    return forms.CharField(
        label=label,
        max_length=1000,
        required=False,
        validators=[KEY_SHAPE],
        help_text=help_text,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )


class VendorForm(forms.Form):
    """New > choose the vendor > Continue."""

    vendor = forms.ChoiceField(label="Vendor")

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["vendor"].choices = choices  # type: ignore[attr-defined]


class ProfileForm(forms.ModelForm):
    """Create or change an integration profile with its credentials."""

    client_id = key_field("Client ID", "The App key of your app.")
    client_secret = secret_field("Client secret", "The App secret of your app. It is encrypted and never shown again.")
    reclamation_client_id = key_field(
        "Reclamation client ID", "Only if a second app reclaims. Empty: one app serves both.", required=False
    )
    reclamation_client_secret = secret_field("Reclamation client secret", "The App secret of the second app.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = IntegrationProfile
        fields = ("display_name", "analyze_activity_from", "pull_activity", "reclaim")
        labels = {"analyze_activity_from": "Analyze user activity from"}
        widgets = {"analyze_activity_from": forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_FORMAT)}
        help_texts = {
            "display_name": "Names the profile and its scheduled jobs, such as “Dropbox Europe”.",
            "analyze_activity_from": f"At most 60 days back, in the time zone {settings.TIME_ZONE}. "
            "User activity is pulled from this moment on.",
            "pull_activity": "Pulls sign-ins and file events, so that idle seats can be told from used ones.",
            "reclaim": "Allows removing seats after your approval. Without it, nothing is ever called for a removal.",
        }

    def __init__(self, *args: Any, now: datetime | None = None, **kwargs: Any) -> None:
        self.now = (now or timezone.now()).replace(second=0, microsecond=0)
        super().__init__(*args, **kwargs)
        self.creating = self.instance.pk is None
        self.fields["display_name"].strip = True  # type: ignore[attr-defined]
        self._set_initial()

    def _set_initial(self) -> None:
        if self.creating:
            self.initial.setdefault("analyze_activity_from", self.now - LOOK_BACK)
            self.fields["client_secret"].required = True
            return
        held = self._held()
        self.initial["version"] = self.instance.version
        for purpose, prefix in ((base.SUBSCRIPTIONS, ""), (base.RECLAMATION, "reclamation_")):
            if purpose in held:
                self.initial[f"{prefix}client_id"] = held[purpose].client_id
                self.fields[f"{prefix}client_secret"].help_text = "Stored and encrypted. Leave empty to keep it."

    def _held(self) -> dict[str, Credential]:
        return {credential.purpose: credential for credential in self.instance.alias.credentials.all()}

    def clean_display_name(self) -> str:
        name: str = self.cleaned_data["display_name"]
        if not name.isprintable():
            raise ValidationError("The display name holds characters that cannot be shown.")
        twins = IntegrationProfile.objects.filter(display_name__iexact=name).exclude(pk=self.instance.pk)
        if twins.exists():
            raise ValidationError("Another integration profile has this display name.")
        return name

    def clean_analyze_activity_from(self) -> datetime:
        moment: datetime = self.cleaned_data["analyze_activity_from"].replace(second=0, microsecond=0)
        if not self.creating and "analyze_activity_from" not in self.changed_data:
            return moment
        earliest = timezone.localtime(self.now - LOOK_BACK).date()
        if timezone.localtime(moment).date() < earliest:
            raise ValidationError(f"The vendor's activity can be analysed from {earliest:%-d %B %Y} on, not earlier.")
        if moment > self.now + timedelta(minutes=5):
            raise ValidationError("This moment is in the future.")
        return moment

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        held = {} if self.creating else self._held()
        self._clean_client("", held.get(base.SUBSCRIPTIONS))
        self._clean_client("reclamation_", held.get(base.RECLAMATION))
        main, second = cleaned.get("client_id"), cleaned.get("reclamation_client_id")
        if main and main == second:
            self.add_error(
                "reclamation_client_id", "This is the same app. Leave it empty: one app serves both purposes."
            )
        return cleaned

    def _clean_client(self, prefix: str, held: Credential | None) -> None:
        """A client id and its secret belong together; an unchanged id may leave the secret empty."""
        client_id = self.cleaned_data.get(f"{prefix}client_id", "")
        secret = self.cleaned_data.get(f"{prefix}client_secret", "")
        if self.errors.keys() & {f"{prefix}client_id", f"{prefix}client_secret"}:
            return
        if secret and not client_id:
            self.add_error(f"{prefix}client_id", "A secret without its client ID cannot be used.")
        elif client_id and not secret and (held is None or held.client_id != client_id):
            self.add_error(
                f"{prefix}client_secret", "Another app has another secret: enter the secret of this client ID."
            )


class DeleteForm(forms.Form):
    """Deleting asks for the display name, so that nobody deletes the neighbour's profile."""

    display_name = forms.CharField(label="Type the display name to confirm", max_length=80)

    def __init__(self, *args: Any, profile: IntegrationProfile, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile = profile

    def clean_display_name(self) -> str:
        name: str = self.cleaned_data["display_name"]
        if name.casefold() != self.profile.display_name.casefold():
            raise ValidationError("This is not the display name of the profile.")
        return name

"""Forms of the integration profile. They validate and never act; secrets are write-only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from profiles.aliases import choose as aliases
from profiles.aliases.forms import ALIAS_NAME
from profiles.connection.forms import PURPOSES, ClientForm, credentials_of
from profiles.connectors import base
from profiles.models import ConnectionAlias, Credential, IntegrationProfile

LOOK_BACK = timedelta(days=60)  # what a new profile begins with
MOST_LOOK_BACK = timedelta(days=365)
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"
AUTOMATIC = "Automatic: the vendor’s parent alias, or a new child of it"
SWITCHING = "Changing this makes the profile a draft until its connection is validated again."
JOB_GOES = "Switching it off deletes its scheduled job."


class VendorForm(forms.Form):
    """New > choose the vendor > Continue."""

    vendor = forms.ChoiceField(label="Vendor")

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["vendor"].choices = choices  # type: ignore[attr-defined]


class ProfileForm(ClientForm):
    """Create or change an integration profile with its credentials."""

    alias = forms.ChoiceField(
        label="Connection & credential alias",
        required=False,
        help_text="Holds the credentials. Each profile has its own alias; further profiles use a child of the first.",
    )
    child_name = forms.CharField(
        label="Name of the new child alias",
        required=False,
        max_length=80,
        validators=[ALIAS_NAME],
        help_text="Only for “Create a child alias”: letters, digits and underscores. Empty: named after the profile.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = IntegrationProfile
        fields = ("display_name", "analyze_activity_from", "pull_activity", "reclaim")
        labels = {"analyze_activity_from": "Analyze user activity from"}
        widgets = {"analyze_activity_from": forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL_FORMAT)}
        help_texts = {
            "display_name": "Names the profile and its scheduled jobs, such as “Dropbox Europe”.",
            "analyze_activity_from": f"At most {MOST_LOOK_BACK.days} days back, in the time zone {settings.TIME_ZONE}. "
            "User activity is pulled from the midnight (UTC) before that moment, so that whole days are counted.",
            "pull_activity": "Pulls sign-ins and file events, which show which subscriptions are idle.",
            "reclaim": "Allows reclaiming subscriptions after your approval. When it is off, the vendor is never asked "
            "to remove anybody.",
        }

    def __init__(self, *args: Any, vendor: str = "", now: datetime | None = None, **kwargs: Any) -> None:
        self.now = (now or timezone.now()).replace(second=0, microsecond=0)
        super().__init__(*args, **kwargs)
        self.creating = self.instance.pk is None
        self.vendor = vendor or self.instance.vendor
        self.current = None if self.creating else self.instance.alias
        self.free = {str(alias.pk): alias for alias in aliases.free_aliases(self.vendor)}
        self.fields["display_name"].strip = True  # type: ignore[attr-defined]
        self.fields["alias"].choices = self._alias_choices()  # type: ignore[attr-defined]
        self._set_initial()

    def _alias_choices(self) -> list[tuple[str, str]]:
        first = (str(self.current.pk), f"{self.current.name} (this profile’s)") if self.current else ("", AUTOMATIC)
        others = [(key, f"{alias.name} (not in use)") for key, alias in self.free.items()]
        return [first, (aliases.NEW, "Create a child alias"), *others]

    def _set_initial(self) -> None:
        held = credentials_of(self.free.get(self.data.get("alias", "")))
        if base.SUBSCRIPTIONS in held:
            self.fields["client_id"].required = False
        if self.current is None:
            self.initial.setdefault("analyze_activity_from", self.now - LOOK_BACK)
            self.fields["client_secret"].required = base.SUBSCRIPTIONS not in held
            return
        self.initial["version"] = self.instance.version
        self.initial["alias"] = str(self.current.pk)
        self.fields["pull_activity"].help_text += f" {SWITCHING} {JOB_GOES}"
        self.fields["reclaim"].help_text += f" {SWITCHING}"
        self.show_clients(credentials_of(self.current))

    def stored_credentials(self) -> dict[str, Credential]:
        """Those of the chosen alias; a new child has none."""
        choice = self.cleaned_data.get("alias", "")
        if choice == aliases.NEW:
            return {}
        return credentials_of(self.free.get(choice, self.current))

    def clean_child_name(self) -> str:
        name: str = self.cleaned_data["child_name"]
        if name and ConnectionAlias.objects.filter(name__iexact=name).exists():
            raise ValidationError("Another alias has this name.")
        return name

    def clean_display_name(self) -> str:
        name: str = self.cleaned_data["display_name"]
        if not name.isprintable():
            raise ValidationError("The display name holds characters that cannot be shown.")
        same_name = IntegrationProfile.objects.filter(display_name__iexact=name).exclude(pk=self.instance.pk)
        if same_name.exists():
            raise ValidationError("Another integration profile has this display name.")
        return name

    def clean_analyze_activity_from(self) -> datetime:
        moment: datetime = self.cleaned_data["analyze_activity_from"].replace(second=0, microsecond=0)
        if not self.creating and "analyze_activity_from" not in self.changed_data:
            return moment
        earliest = timezone.localtime(self.now - MOST_LOOK_BACK).date()
        if timezone.localtime(moment).date() < earliest:
            raise ValidationError(f"User activity can be analyzed from {earliest:%-d %B %Y} at the earliest.")
        if moment > self.now + timedelta(minutes=5):
            raise ValidationError("This moment is in the future.")
        return moment

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("alias") in self.free:
            self._keep_stored(self.stored_credentials())
        return super().clean()

    def _keep_stored(self, held: dict[str, Credential]) -> None:
        """Another alias brings its own client ids, unless the person typed in others."""
        before = credentials_of(self.current)
        for purpose, prefix in PURPOSES:
            typed = self.cleaned_data.get(f"{prefix}client_id", "")
            untouched = purpose in before and typed == before[purpose].client_id
            if purpose in held and (not typed or untouched) and not self.cleaned_data.get(f"{prefix}client_secret"):
                self.cleaned_data[f"{prefix}client_id"] = held[purpose].client_id


class DeleteForm(forms.Form):
    """Deleting asks for the display name, so that nobody deletes the wrong profile."""

    display_name = forms.CharField(label="Type the display name to confirm", max_length=80)
    accept = forms.BooleanField(label="I accept this")

    def __init__(self, *args: Any, profile: IntegrationProfile, warnings: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile = profile
        if warnings:
            self.fields["accept"].help_text = " ".join(warnings)
        else:
            del self.fields["accept"]

    def clean_display_name(self) -> str:
        name: str = self.cleaned_data["display_name"]
        if name.casefold() != self.profile.display_name.casefold():
            raise ValidationError("This is not the display name of the profile.")
        return name

"""Forms of the exclusion rules. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from subscriptions.models import IdentifierExclusion, SubscriptionIdentifier, UserExclusion, normalize_address

DOMAIN = RegexValidator(r"\A@?[^\s@*]+\Z", "Give one domain, such as example.com. Patterns go into the field above.")
TWIN = "This rule exists already."


class IdentifierField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.identifier} ({obj.get_vendor_display()}, {obj.software_model or 'unrecognized'})"


class IdentifierExclusionForm(forms.ModelForm):
    identifier = IdentifierField(
        label="Subscription identifier",
        queryset=SubscriptionIdentifier.objects.select_related("software_model"),
        help_text="Every subscription of this identifier is excluded.",
    )

    class Meta:
        model = IdentifierExclusion
        fields = ("identifier", "profile", "reason", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_up_fields(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        identifier, profile = cleaned.get("identifier"), cleaned.get("profile")
        if identifier and profile and identifier.vendor != profile.vendor:
            self.add_error("profile", "This profile belongs to another vendor, so the rule would never apply.")
        twins = IdentifierExclusion.objects.filter(identifier=identifier, profile=profile)
        if identifier and twins.exclude(pk=self.instance.pk).exists():
            raise ValidationError(TWIN)
        return cleaned


class UserExclusionForm(forms.ModelForm):
    class Meta:
        model = UserExclusion
        fields = ("pattern", "domain", "profile", "reason", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_up_fields(self)
        self.fields["domain"].validators.append(DOMAIN)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        as_stored = {
            "pattern": normalize_address(cleaned.get("pattern", "")),
            "domain": normalize_address(cleaned.get("domain", "")).lstrip("@"),
        }
        twins = UserExclusion.objects.filter(**as_stored, profile=cleaned.get("profile"))
        if not self.errors and twins.exclude(pk=self.instance.pk).exists():
            raise ValidationError(TWIN)
        return cleaned


def set_up_fields(form: forms.ModelForm) -> None:
    form.fields["profile"].empty_label = "Every profile"  # type: ignore[attr-defined]
    form.fields["profile"].help_text = ""
    form.fields["reason"].help_text = "Shown on every subscription that the rule excludes."
    form.fields["active"].help_text = "Off: the rule is kept but excludes nothing."


class ReasonForm(forms.Form):
    """Why selected subscriptions are excluded."""

    reason = forms.CharField(
        max_length=UserExclusion._meta.get_field("reason").max_length,
        help_text="Shown on every subscription that is excluded.",
    )

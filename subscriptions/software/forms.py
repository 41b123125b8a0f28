"""Forms of subscription identifiers and software models. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from samsaas.lib.opened_form import OpenedForm
from subscriptions.models import SoftwareModel
from subscriptions.software import recognize

PARTS = SoftwareModel.PARTS


class MapForm(forms.Form):
    """Choose an existing software model, or describe a new one by its three parts."""

    software_model = forms.ModelChoiceField(
        label="Software model",
        queryset=SoftwareModel.objects.all(),
        required=False,
        empty_label="A new one, described below",
    )
    publisher = forms.CharField(max_length=120, required=False)
    product = forms.CharField(max_length=120, required=False)
    edition = forms.CharField(max_length=120, required=False, help_text="Optional.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        described = [name for name in PARTS if cleaned.get(name)]
        if self.errors:
            return cleaned
        if cleaned.get("software_model") and described:
            raise ValidationError("Choose a software model or describe a new one, not both.")
        if not cleaned.get("software_model"):
            for name in ("publisher", "product"):
                if not cleaned.get(name):
                    self.add_error(name, f"A new software model needs a {name}.")
        return cleaned

    @property
    def chosen(self) -> SoftwareModel:
        """The chosen model, or a new one from its three parts, which the caller saves."""
        existing: SoftwareModel | None = self.cleaned_data["software_model"]
        return existing or SoftwareModel(**{name: self.cleaned_data[name] for name in PARTS})


class SoftwareModelForm(OpenedForm):
    """Whether the license is under management, its cost per seat, and its name unless a vendor gave it."""

    class Meta:
        model = SoftwareModel
        fields = ("publisher", "product", "edition", "under_management", "cost_override", "currency")
        help_texts = {"edition": "Optional."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["cost_override"] = self.instance.yearly_cost
        if recognize.is_vendors_own(self.instance):
            for name in PARTS:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned.get("cost_override") is not None and not cleaned.get("currency"):
            self.add_error("currency", "A cost needs its currency.")
        if cleaned.get("cost_override") is None and cleaned.get("currency"):
            self.add_error("cost_override", "A currency needs a cost. Empty both to use the cost in the entitlements.")
        if "product" in self.fields:
            self._refuse_twin(*(cleaned[name] for name in PARTS))
        return cleaned

    def _refuse_twin(self, publisher: str, product: str, edition: str) -> None:
        twin = SoftwareModel.objects.with_name(publisher, product, edition).exclude(pk=self.instance.pk).first()
        if twin:
            raise ValidationError(f"{twin} exists already. Map the subscription identifiers to it instead.")

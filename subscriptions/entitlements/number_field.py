"""A form field for the number of an entitlement, such as ENT0000012. A list of thousands would help nobody."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from subscriptions.models import Entitlement

NUMBER = re.compile(r"(?:ENT)?0*(\d{1,18})", re.ASCII | re.IGNORECASE)


def find_entitlement(text: str) -> Entitlement | None:
    """The entitlement with this number, or None."""
    found = NUMBER.fullmatch(text.strip())
    return Entitlement.objects.select_related("software_model").filter(pk=int(found[1])).first() if found else None


class EntitlementNumberField(forms.CharField):
    """An entitlement by its number; None where the field is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=24, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Entitlement):
            return value.number
        return f"ENT{value:07}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = find_entitlement(text)
        if found is None:
            raise ValidationError("There is no entitlement of this number.")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

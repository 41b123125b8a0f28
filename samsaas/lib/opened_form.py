"""A form that remembers how its record was when it was opened, for records without a version of their own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import models

OPENED = "opened_as"  # the hidden field


class OpenedForm(forms.ModelForm):
    """Base of a form whose second save must not undo the first. A post that does not say how it was opened is taken."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored = _digest(self.initial) if self.instance.pk else ""
        if self._stored:
            self.fields[OPENED] = forms.CharField(required=False, widget=forms.HiddenInput, initial=self._stored)

    @property
    def was_overtaken(self) -> bool:
        """Whether the record is another one now than when this form was opened."""
        return bool(self._stored) and self.data.get(OPENED, "") not in ("", self._stored)

    def full_clean(self) -> None:
        """The data of the form without the mark, which is no part of the record."""
        super().full_clean()
        getattr(self, "cleaned_data", {}).pop(OPENED, None)


def _digest(values: Mapping[str, Any]) -> str:
    plain = {name: _plain(value) for name, value in sorted(values.items())}
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set | models.QuerySet):
        return sorted(str(getattr(one, "pk", one)) for one in value)
    return str(value)

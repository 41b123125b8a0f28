"""The part of a form whose secrets are kept for a few minutes while another of its fields is put right.

Where they are kept is no business of a form: see `samsaas.keep_secrets`. The form carries a token and the names of the
fields, so that it can say which of them have to be typed again when the time is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

KEPT = "kept_secrets"  # the hidden field
TYPE_AGAIN = "What you typed here was kept for a few minutes only. Type it again."


class SecretsForm(forms.BaseForm):
    """Mixin of a form with the fields of `secret_fields`, whose data is a changeable copy of what was posted."""

    secret_fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[KEPT] = forms.CharField(required=False, widget=forms.HiddenInput)

    def secrets_to_keep(self) -> dict[str, str]:
        """The secrets that were typed and have nothing wrong, by field."""
        return {
            name: str(self.data[name]) for name in self.secret_fields if self.data.get(name) and name not in self.errors
        }

    def say_kept(self, token: str, names: Sequence[str], *, minutes: int) -> None:
        """Empty the fields of these secrets, and say on the page that they need not be typed again."""
        data: Any = self.data
        data[KEPT] = " ".join([token, *names])
        for name in names:
            data[name] = ""
            self.fields[name].required = False
            self[name].help_text = f"Kept, encrypted, for {minutes} minutes. Leave empty to use what you typed."

    def require_kept(self) -> None:
        """An error for each secret that is neither kept any more nor typed again."""
        for name in str(self.data.get(KEPT, "")).split()[1:]:
            if name in self.secret_fields and name in self.fields and not self.data.get(name):
                self.errors.pop(name, None)
                self.add_error(name, TYPE_AGAIN)

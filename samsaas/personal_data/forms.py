"""The confirmation that somebody means this person."""

from __future__ import annotations

from typing import Any

from django import forms

from subscriptions.models import Person


class EraseForm(forms.Form):
    """The employee number, typed. It cannot be taken back, so a button alone is too little."""

    typed = forms.CharField(
        label="Employee number", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["typed"].help_text = f"Type {person.key} to confirm."

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed != self.person.key:
            raise forms.ValidationError("This is not the person’s employee number.")
        return typed

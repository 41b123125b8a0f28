"""Forms of exemptions. They validate and never act."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reclamation.rules import exemption_file
from reclamation.rules.exempt import Protection
from samsaas.lib.spreadsheets.open_sheet import ACCEPTED
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.models import Person, Subscription
from subscriptions.people.find_person import find_person

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
OVER = "This day is over. Choose today, a later day, or none."


class ExemptionForm(forms.Form):
    """Whom to exempt. A page that was opened from a person or a subscription knows that already."""

    who = forms.CharField(
        label="Person", max_length=320, help_text="Their employee number, or one of their e-mail addresses."
    )
    reason = forms.CharField(max_length=exemption_file.LONGEST_REASON, help_text="Shown wherever it is asked why not.")
    until = forms.DateField(
        label="Until", required=False, widget=DAY, help_text="The last day, which counts. Empty: without end."
    )

    def __init__(self, *args: Any, today: date, target: Person | Subscription | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.target = today, target
        if target is not None:
            del self.fields["who"]

    def clean_who(self) -> str:
        """Find the person. More than one, or none, is refused."""
        person, problem = find_person(self.cleaned_data["who"].strip())
        if person is None:
            raise ValidationError(problem)
        self.target = person
        return str(self.cleaned_data["who"])

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until and until < self.today:
            raise ValidationError(OVER)
        return until

    @property
    def protection(self) -> Protection:
        """What the valid form asks for."""
        seat = self.target if isinstance(self.target, Subscription) else None
        person = self.target if isinstance(self.target, Person) else None
        return Protection(
            person=person,
            subscription=seat,
            reason=self.cleaned_data["reason"],
            until=self.cleaned_data["until"],
        )


class ExemptionFileForm(forms.Form):
    """A list of people who are exempt: the file, or, from the preview, its text."""

    file = forms.FileField(
        max_length=255,
        required=False,
        error_messages={"empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=f"CSV in UTF-8 or a workbook (.xlsx), at most {exemption_file.MOST_LINES:,} lines.",
    )
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput, max_length=70_000)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.lines: list[exemption_file.ExemptionLine] = []

    def clean(self) -> dict[str, Any]:
        """Read the lines. A file that cannot be read as a whole is an error of the form."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            text = exemption_file.read_file(cleaned["file"]) if cleaned.get("file") else cleaned.get("text", "")
            if not text.strip():
                raise Unreadable("Choose a file that is not empty.")
        except Unreadable as problem:
            raise ValidationError(str(problem)) from None
        self.lines = exemption_file.read_lines(text, self.today)
        return {**cleaned, "text": text}

    @property
    def accepted(self) -> list[Protection]:
        """The exemptions of the lines that are not refused."""
        return [
            Protection(person=line.person, reason=line.reason, until=line.until) for line in self.lines if line.person
        ]

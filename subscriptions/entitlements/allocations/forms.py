"""Forms of allocations: one person by hand, a file of people, and releasing. They validate and never act."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from samsaas.lib.spreadsheets.open_sheet import ACCEPTED
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.entitlements import allocate
from subscriptions.entitlements.allocations import file as allocation_file
from subscriptions.entitlements.allocations.file import AllocationLine
from subscriptions.models import Allocation, Entitlement, Person
from subscriptions.models.entitlement import MOST_RIGHTS
from subscriptions.people.find_person import find_person


def day_field(label: str, help_text: str) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class AllocationForm(forms.Form):
    """Rights of an entitlement for one person."""

    who = forms.CharField(
        label="Person", max_length=320, help_text="Their employee number, or one of their e-mail addresses."
    )
    quantity = forms.IntegerField(min_value=1, max_value=MOST_RIGHTS, initial=1, help_text="Mostly one.")
    on = day_field("From", "The first day on which the rights are reserved.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person: Person | None = None

    def clean_who(self) -> str:
        """Find the person. More than one, or none, is refused."""
        self.person, problem = find_person(self.cleaned_data["who"].strip())
        if self.person is None:
            raise ValidationError(problem)
        return str(self.cleaned_data["who"])


class ReleaseForm(forms.Form):
    """From which day on rights are free again."""

    on = day_field("From", "The first day on which they are free again.")

    def __init__(self, *args: Any, assigned_on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.assigned_on = assigned_on

    def clean_on(self) -> date:
        """A day before the rights were assigned would undo what has counted."""
        day: date = self.cleaned_data["on"]
        if day < self.assigned_on:
            raise ValidationError(
                f"They were assigned on {self.assigned_on:%-d %b %Y}. Choose that day or a later one."
            )
        return day


class AllocationFileForm(forms.Form):
    """A list of people who get rights: the file, or, from the preview, its lines."""

    file = forms.FileField(
        max_length=255,
        required=False,
        error_messages={"empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=f"CSV in UTF-8 or a workbook (.xlsx), at most {allocation_file.MOST_LINES:,} lines.",
    )
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput, max_length=70_000)

    def __init__(self, *args: Any, entitlement: Entitlement, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entitlement = entitlement
        self.lines: list[AllocationLine] = []

    def clean(self) -> dict[str, Any]:
        """Read the lines. A file that cannot be read as a whole is an error of the form."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            text = allocation_file.read_file(cleaned["file"]) if cleaned.get("file") else cleaned.get("text", "")
            if not text.strip():
                raise Unreadable("Choose a file that is not empty.")
        except Unreadable as problem:
            raise ValidationError(str(problem)) from None
        holders = Allocation.objects.open().filter(entitlement=self.entitlement).values_list("person", flat=True)
        free = allocate.free_rights(self.entitlement)
        self.lines = allocation_file.read_lines(text, self.entitlement, free, set(holders))
        return {**cleaned, "text": text}

    @property
    def accepted(self) -> list[tuple[Person, int]]:
        """People and quantities of the lines that are not refused."""
        return [(line.person, line.quantity) for line in self.lines if line.person and not line.problem]

    @property
    def refused(self) -> list[AllocationLine]:
        return [line for line in self.lines if line.problem]

"""The form that takes a file of people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from samsaas.lib import uploads
from samsaas.lib.spreadsheets.open_sheet import ACCEPTED
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.people.imports import file as people_file

TOO_LARGE = f"The file is larger than {uploads.LARGEST // 1024**2} MB. Upload it in parts."


class PeopleFileForm(forms.Form):
    """A file of people, and whether it lists everybody."""

    file = forms.FileField(
        label="File",
        max_length=255,
        error_messages={"empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text="CSV in UTF-8, separated by commas, semicolons or tabs, or an Excel workbook (.xlsx). At most "
        f"{uploads.LARGEST // 1024**2} MB and {people_file.MOST_LINES:,} lines.",
    )
    mark_leavers = forms.BooleanField(
        label="The file lists everybody",
        required=False,
        help_text="Active people who are missing from it are marked as leavers, after you have seen who they are.",
    )

    def __init__(self, *args: Any, oversized: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if oversized:
            self.fields["file"].error_messages["required"] = TOO_LARGE

    def clean_file(self) -> Any:
        """Report at once what the beginning of the file shows. A job reads the rest."""
        file = self.cleaned_data["file"]
        try:
            people_file.check_beginning(file)
        except Unreadable as problem:
            raise ValidationError(str(problem)) from None
        return file

"""The forms of an import of people: the file, and how it is to be read. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from samsaas.lib import uploads
from samsaas.lib.spreadsheets import encodings
from samsaas.lib.spreadsheets.open_sheet import ACCEPTED
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.file_columns.form import ColumnsForm
from subscriptions.models import PersonImport
from subscriptions.people.imports import file as people_file
from subscriptions.people.imports.columns import TABLE
from subscriptions.people.imports.file import Layout

TOO_LARGE = f"The file is larger than {uploads.LARGEST // 1024**2} MB. Upload it in parts."


class PeopleFileForm(forms.Form):
    """A file of people, and whether it lists everybody."""

    file = forms.FileField(
        label="File",
        max_length=255,
        error_messages={"empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text="CSV, separated by commas, semicolons or tabs, or an Excel workbook (.xlsx). At most "
        f"{uploads.LARGEST // 1024**2} MB and {people_file.MOST_LINES:,} lines.",
    )
    mark_leavers = forms.BooleanField(
        label="The file lists everybody",
        required=False,
        help_text="Active people who are missing from it are marked as leavers, after you have seen who they are.",
    )

    strict = forms.BooleanField(
        label="Refuse a line for any cell",
        required=False,
        help_text="Otherwise a cell that cannot be read, such as a bad date, is left out; the rest of the line counts.",
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


class PeopleColumnsForm(ColumnsForm):
    """In which encoding the file is, which column is which, and how its dates are written."""

    table = TABLE
    written = ("encoding", "sheet", "date_order")

    encoding = forms.ChoiceField(
        label="The letters are right in", choices=[("", "Choose one"), *encodings.CHOICES.items()]
    )

    def __init__(self, *args: Any, upload: PersonImport, **kwargs: Any) -> None:
        super().__init__(*args, upload=upload, **kwargs)
        if not upload.counters.get("foreign"):
            del self.fields["encoding"]
        if not upload.counters.get("headings"):
            del self.fields["date_order"]
        else:
            self._offer_orders(is_asked=upload.counters.get("asked") == "dates")

    def _offer_orders(self, *, is_asked: bool) -> None:
        """Where the dates do not say it themselves, a person has to."""
        field = self.fields["date_order"]
        orders = [*PersonImport.DateOrder.choices]
        field.required = is_asked
        nothing = "Choose one" if is_asked else "As the dates themselves say"
        field.choices = [("", nothing), *orders]  # type: ignore[attr-defined]

    @property
    def layout(self) -> Layout:
        """How the file is to be read. Without its headings, or after another encoding, they are read first."""
        data = self.cleaned_data
        encoding = data.get("encoding", "")
        columns = self.columns if encoding == self.upload.encoding else {}
        return Layout(columns, data.get("sheet", ""), encoding, data.get("date_order", ""))

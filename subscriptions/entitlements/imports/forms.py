"""Forms of an import of entitlements: the file, and which of its columns is which. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from samsaas.lib.spreadsheets import open_sheet
from samsaas.lib.spreadsheets.open_sheet import ACCEPTED
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.entitlements.columns import TABLE
from subscriptions.entitlements.imports.read import LIMITS
from subscriptions.file_columns.form import ColumnsForm
from subscriptions.models import EntitlementImport

LARGEST = 10 * 1024 * 1024
TOO_LARGE = f"The file is larger than {LARGEST // 1024**2} MB. Upload it in parts."


class EntitlementFileForm(forms.Form):
    """A file of entitlements."""

    file = forms.FileField(
        max_length=255,
        error_messages={"empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=f"An Excel workbook (.xlsx) without a password, or CSV in UTF-8. At most {LARGEST // 1024**2} MB, "
        f"{LIMITS.rows:,} lines and {LIMITS.columns} columns.",
    )

    def __init__(self, *args: Any, oversized: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if oversized:
            self.fields["file"].error_messages["required"] = TOO_LARGE

    def clean_file(self) -> Any:
        """Report at once what the beginning of the file shows. A job reads the rest."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError(TOO_LARGE)
        try:
            open_sheet.check_beginning(file, LIMITS, known=TABLE.is_known)
        except Unreadable as problem:
            raise ValidationError(str(problem)) from None
        return file


class EntitlementColumnsForm(ColumnsForm):
    """Which column of the file is which field, and how its numbers and dates are written."""

    table = TABLE
    written = ("sheet", "decimal_sign", "date_order")

    decimal_sign = forms.ChoiceField(
        label="Before decimals stands",
        required=False,
        choices=[("", "Not said: 1.234 is refused"), *EntitlementImport.DecimalSign.choices],
    )

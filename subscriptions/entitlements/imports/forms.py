"""Forms of an import of entitlements: the file, and which of its columns is which. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from samsaas.lib.spreadsheets import open_sheet
from samsaas.lib.spreadsheets.open_sheet import ACCEPTED
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.entitlements.columns import COLUMNS
from subscriptions.entitlements.imports.choose_columns import is_known
from subscriptions.entitlements.imports.read import LIMITS
from subscriptions.models import EntitlementImport

LARGEST = 10 * 1024 * 1024
TOO_LARGE = f"The file is larger than {LARGEST // 1024**2} MB. Upload it in parts."
PREFIX = "column_"


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
            open_sheet.check_beginning(file, LIMITS, known=is_known)
        except Unreadable as problem:
            raise ValidationError(str(problem)) from None
        return file


class ColumnsForm(forms.Form):
    """Which column of the file is which field, and how its numbers and dates are written."""

    sheet = forms.ChoiceField(required=False, help_text="Its headings are read when you go on.")
    decimal_sign = forms.ChoiceField(
        label="Before decimals stands",
        required=False,
        choices=[("", "Not said: 1.234 is refused"), *EntitlementImport.DecimalSign.choices],
    )
    date_order = forms.ChoiceField(
        label="In dates such as 03/04/2026",
        required=False,
        choices=[("", "Not said: they are refused"), *EntitlementImport.DateOrder.choices],
    )

    def __init__(self, *args: Any, upload: EntitlementImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.upload, counters = upload, upload.counters
        self.fields["decimal_sign"].initial, self.fields["date_order"].initial = upload.decimal_sign, upload.date_order
        sheets = counters.get("sheets", [])
        self.fields["sheet"].choices = [(name, name) for name in sheets]  # type: ignore[attr-defined]
        self.fields["sheet"].initial = counters.get("sheet", "")
        if len(sheets) < 2:
            del self.fields["sheet"]
        self._add_columns(counters.get("headings", []), counters.get("samples", []), counters.get("places", {}))

    def _add_columns(self, headings: list[str], samples: list[str], places: dict[str, int]) -> None:
        offered: list[tuple[str, str]] = [("", "Not in the file")]
        for place, heading in enumerate(headings):
            sample = samples[place] if place < len(samples) and samples[place] else ""
            title = heading or f"Column {place + 1}"
            offered.append((str(place), f"{title}: {sample}"[:90] if sample else title))
        for column in COLUMNS:
            self.fields[f"{PREFIX}{column.key}"] = forms.ChoiceField(
                label=column.label,
                choices=offered,
                required=False,
                initial=str(places.get(column.key, "")),
                help_text=column.meaning,
            )

    def clean(self) -> dict[str, Any]:
        """One column cannot be two fields."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for column in COLUMNS:
            place = data.get(f"{PREFIX}{column.key}", "")
            if place and place in taken:
                self.add_error(f"{PREFIX}{column.key}", f"This column is {taken[place]} already.")
            taken.setdefault(place, column.label)
        return data

    @property
    def columns(self) -> dict[str, int]:
        """The place of each chosen field. Empty if another sheet was chosen: its headings are not known yet."""
        if self.cleaned_data.get("sheet", "") != self.upload.counters.get("sheet", "") and "sheet" in self.fields:
            return {}
        chosen = {column.key: self.cleaned_data.get(f"{PREFIX}{column.key}", "") for column in COLUMNS}
        return {key: int(place) for key, place in chosen.items() if place}

    @property
    def needed(self) -> list[BoundField]:
        return [self[f"{PREFIX}{column.key}"] for column in COLUMNS if column.is_required or column.key == "unlimited"]

    @property
    def further(self) -> list[BoundField]:
        shown = {field.name for field in self.needed}
        return [self[name] for name in self.fields if name.startswith(PREFIX) and name not in shown]

    @property
    def ways_of_writing(self) -> list[BoundField]:
        return [self[name] for name in ("sheet", "decimal_sign", "date_order") if name in self.fields]

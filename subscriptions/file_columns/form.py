"""The form that says which column of a file is which, and how its dates are written. It validates and never acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from subscriptions.file_columns.table import ColumnTable
from subscriptions.models import FileImport

PREFIX = "column_"


class ColumnsForm(forms.Form):
    """Which column of an uploaded file is which field. A subclass names its `table`, and asks what else it needs."""

    table: ColumnTable
    written: tuple[str, ...] = ("sheet", "date_order")  # fields about the whole file, in the order of the page

    sheet = forms.ChoiceField(required=False, help_text="Its headings are read when you go on.")
    date_order = forms.ChoiceField(
        label="In dates such as 03/04/2026",
        required=False,
        choices=[("", "Not said: they are refused"), *FileImport.DateOrder.choices],
    )

    def __init__(self, *args: Any, upload: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.upload, counters = upload, upload.counters
        for name in self.written:
            self.fields[name].initial = getattr(upload, name)
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
        for column in self.table.columns if headings else ():
            self.fields[f"{PREFIX}{column.key}"] = forms.ChoiceField(
                label=column.label[:1].upper() + column.label[1:],
                choices=offered,
                required=False,
                initial=str(places.get(column.key, "")),
                help_text=column.meaning,
            )

    def clean(self) -> dict[str, Any]:
        """One column cannot be two fields."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for column in self.table.columns:
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
        chosen = {column.key: self.cleaned_data.get(f"{PREFIX}{column.key}", "") for column in self.table.columns}
        return {key: int(place) for key, place in chosen.items() if place}

    @property
    def needed(self) -> list[BoundField]:
        keys = [one.key for one in self.table.columns if one.is_required or one.key in self.table.either]
        return [self[name] for key in keys if (name := f"{PREFIX}{key}") in self.fields]

    @property
    def further(self) -> list[BoundField]:
        shown = {field.name for field in self.needed}
        return [self[name] for name in self.fields if name.startswith(PREFIX) and name not in shown]

    @property
    def ways_of_writing(self) -> list[BoundField]:
        return [self[name] for name in self.written if name in self.fields]

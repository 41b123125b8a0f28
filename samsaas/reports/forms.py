"""The form of a report. It validates and never acts."""

from __future__ import annotations

from typing import Any

from django import forms

from samsaas.lib.form_fields import require_printable
from samsaas.models import Report
from samsaas.reports import recipients


class ReportForm(forms.ModelForm):
    """A report, with its recipients as lines of a text."""

    recipients = forms.CharField(
        max_length=recipients.MOST * 322,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text="One e-mail address per line. They need no account here.",
    )

    class Meta:
        model = Report
        fields = ("name", "kind", "every", "weekday", "month_day", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            held = self.instance.recipients.values_list("address", flat=True)
            self.fields["recipients"].initial = "\n".join(held)
        self.order_fields(["name", "kind", "recipients", "every", "weekday", "month_day", "active"])

    def clean_name(self) -> str:
        return require_printable(self.cleaned_data["name"])

    def clean_recipients(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["recipients"].splitlines()]
        found = sorted({line.lower() for line in lines if line})
        if len(found) > recipients.MOST:
            raise forms.ValidationError(f"A report has at most {recipients.MOST} recipients.")
        if problems := [f"{one}: {problem}" for one in found if (problem := recipients.address_problem(one))]:
            raise forms.ValidationError(problems[:5])
        return found

"""The form that asks from which day on the log shall be read again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from subscriptions.activity.coverage.intervals import FURTHEST


class ReadAgainForm(forms.Form):
    """A day, today or up to 365 days back."""

    since = forms.DateField(
        label="Read again from",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The day begins at midnight UTC. At most 365 days back; vendors keep their logs for different times.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.earliest = today, today - timedelta(days=FURTHEST.days)
        self.fields["since"].widget.attrs |= {"min": self.earliest.isoformat(), "max": today.isoformat()}

    def clean_since(self) -> date:
        """The day. Raises `ValidationError` for a day that cannot be read."""
        since: date = self.cleaned_data["since"]
        if since > self.today:
            raise ValidationError("This day has not come yet.")
        if since < self.earliest:
            raise ValidationError(f"The earliest day is {self.earliest:%-d %b %Y}.")
        return since

"""The forms that ask from which day on the log shall be read again, or read for the first time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
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


class FurtherBackForm(forms.Form):
    """A day before the time that is known, up to 365 days back."""

    since = forms.DateField(
        label="Read from",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The day begins at midnight UTC. At most 365 days back; vendors keep their logs for different times.",
    )

    def __init__(self, *args: Any, earliest: date, known_from: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.earliest, self.known_from = earliest, known_from
        last = (known_from.astimezone(UTC) - timedelta(seconds=1)).date()
        self.fields["since"].widget.attrs |= {"min": earliest.isoformat(), "max": last.isoformat()}
        self.last = last

    def clean_since(self) -> date:
        """The day. Raises `ValidationError` for a day that cannot be read, or is known."""
        since: date = self.cleaned_data["since"]
        if since > self.last:
            raise ValidationError(
                f"The log is known from {self.known_from.astimezone(UTC):%-d %b %Y} (UTC) on already."
            )
        if since < self.earliest:
            raise ValidationError(f"The earliest day is {self.earliest:%-d %b %Y}.")
        return since

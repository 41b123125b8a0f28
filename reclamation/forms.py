"""Forms of removal candidates. They validate and never act."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reclamation.models import RemovalCandidate, StateChange

LONGEST_NOTE = 2000
LONGEST_KEPT = timedelta(days=366)


class ProposalForm(forms.Form):
    justification = forms.ChoiceField(
        choices=RemovalCandidate.Justification.choices, initial=RemovalCandidate.Justification.LOW_USAGE
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Anything that the person who decides should know.",
    )


class SkipForm(forms.Form):
    reason = forms.CharField(
        max_length=StateChange._meta.get_field("reason").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the candidate’s history.",
    )
    keep_until = forms.DateField(
        label="Keep the subscription until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Until that day, which counts, no rule proposes it again. At most a year from today.",
    )

    def __init__(self, *args: Any, today: date, cool_down_days: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.usual = today + timedelta(days=min(cool_down_days, LONGEST_KEPT.days))
        self.fields["keep_until"].initial = self.usual

    def clean_keep_until(self) -> date:
        """The day, or where none is given that of the rule's cool-down."""
        until: date = self.cleaned_data["keep_until"] or self.usual
        if until < self.today:
            raise ValidationError("This day is over. Choose today or a later day.")
        if until > self.today + LONGEST_KEPT:
            raise ValidationError("This is more than a year from today. Exempt the subscription instead.")
        return until

"""Forms of removal candidates. They validate and never act."""

from __future__ import annotations

from django import forms

from reclamation.models import RemovalCandidate, StateChange

LONGEST_NOTE = 2000


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

"""Forms of removals. They validate and never act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation.models import RemovalCandidate
from reclamation.removal import batches
from reclamation.removal.plan import Plan
from samsaas.lib.sight import limit_choices

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
LONGEST_KEEP = timedelta(days=366)
LONGEST_REASON = 200


class BatchForm(forms.Form):
    """What a person has to confirm before removals are asked for."""

    legal_hold = forms.BooleanField(
        required=False,
        label="None of these accounts is under a legal hold",
        help_text="The vendor does not tell. Without this tick nothing is removed.",
    )
    evidence = forms.BooleanField(
        required=False, label="I looked at the evidence of the candidates that have no rule", help_text=""
    )
    admins = forms.BooleanField(
        required=False,
        label="These accounts are administrators, and are to be removed",
        help_text="Needs a second person. Without this tick their candidates are closed as skipped.",
    )
    typed = forms.IntegerField(required=False, label="How many subscriptions are reclaimed? Type the number")

    def __init__(self, *args: Any, plans: Sequence[Plan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.size = sum(plan.size for plan in plans)
        needed = {
            "evidence": any(plan.without_rule for plan in plans),
            "admins": any(plan.admins for plan in plans),
            "typed": any(plan.size > plan.figures.quota for plan in plans),
        }
        for name, is_needed in needed.items():
            if not is_needed:
                del self.fields[name]

    def clean_typed(self) -> int:
        typed: int | None = self.cleaned_data["typed"]
        if typed != self.size:
            raise forms.ValidationError("This is not the number of subscriptions on this page.")
        return self.size

    @property
    def ticks(self) -> batches.Ticks:
        """What was confirmed."""
        found = {name: bool(self.cleaned_data.get(name)) for name in ("legal_hold", "evidence", "admins")}
        return batches.Ticks(**found)


class RequestForm(forms.Form):
    """What a program says that requests removals. A second person looks at all of it before anything is done."""

    candidates = forms.ModelMultipleChoiceField(queryset=RemovalCandidate.objects.open(), label="Numbers of candidates")
    legal_hold = forms.BooleanField(
        label="None of these accounts is under a legal hold", help_text="The vendor does not tell."
    )
    evidence = forms.BooleanField(required=False, label="The evidence of candidates without a rule was looked at")
    admins = forms.BooleanField(required=False, label="Accounts of administrators are to be removed, too")

    def __init__(self, *args: Any, request: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_choices(request, self.fields["candidates"])

    @property
    def ticks(self) -> batches.Ticks:
        """What was confirmed."""
        return batches.Ticks(**{name: self.cleaned_data[name] for name in ("legal_hold", "evidence", "admins")})


class DecideForm(forms.Form):
    """Nothing but the choice, which the button says."""

    approve = forms.ChoiceField(choices=[("yes", "Approve"), ("no", "Reject")])


class RestoreForm(forms.Form):
    """Until when a restored account is left alone."""

    keep_until = forms.DateField(
        required=False, widget=DAY, label="Keep it until", help_text="Empty: for the cool-down of its rule."
    )

    def clean_keep_until(self) -> date | None:
        chosen: date | None = self.cleaned_data["keep_until"]
        today = timezone.localdate()
        if chosen and not today <= chosen <= today + LONGEST_KEEP:
            raise forms.ValidationError("Choose a day from today on, within a year.")
        return chosen


class CloseByHandForm(forms.Form):
    """A removal that a person finishes by hand."""

    note = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), help_text="What was done, and where the files are."
    )


class MoveForm(forms.Form):
    """Another account that receives the files."""

    external_id = forms.CharField(
        max_length=255,
        label="External user id",
        help_text="The vendor’s id of an active member with a verified address.",
    )


class SwitchForm(forms.Form):
    """Pause removals, or let them go on."""

    profile = forms.ModelChoiceField(
        queryset=IntegrationProfile.objects.all(), required=False, empty_label="Everywhere", label="Where"
    )
    reason = forms.CharField(max_length=LONGEST_REASON, help_text="Shown to everybody who looks why removals wait.")

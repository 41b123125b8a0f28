"""Forms of the actions on selected candidates. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils import timezone

from reclamation.forms import LONGEST_KEPT
from reclamation.models import CandidateNote, StateChange
from reclamation.selected.assign import NOBODY, Assignee
from samsaas import roles


class CloseSelectedForm(forms.Form):
    reason = forms.CharField(
        max_length=StateChange._meta.get_field("reason").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the history of each candidate.",
    )
    keep_until = forms.DateField(
        required=False,
        label="Keep the subscriptions until",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=(
            "Until that day, which counts, no rule proposes them again. At most a year from today. "
            "Empty: as long as the rule of each candidate says."
        ),
    )

    def clean_keep_until(self) -> Any:
        until, today = self.cleaned_data["keep_until"], timezone.localdate()
        if until and until < today:
            raise forms.ValidationError("This day is over. Choose today or a later day.")
        if until and until > today + LONGEST_KEPT:
            raise forms.ValidationError("This is more than a year from today. Exempt the subscriptions instead.")
        return until


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=CandidateNote._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Everybody who sees a candidate reads its notes. A note cannot be changed or deleted.",
    )


class AssignForm(forms.Form):
    assignee = forms.ChoiceField(label="Assign to", help_text="Only accounts and groups that may decide on candidates.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = roles.accounts_with(roles.SAM_ADMIN).order_by("username")
        groups = Group.objects.exclude(name__in=roles.roles_without(roles.SAM_ADMIN)).order_by("name")
        self.found = {
            NOBODY.key: NOBODY,
            **{f"user-{one.pk}": Assignee(f"user-{one.pk}", one.get_username(), user=one) for one in accounts},
            **{f"group-{one.pk}": Assignee(f"group-{one.pk}", one.name, group=one) for one in groups},
        }
        self.fields["assignee"].choices = [  # type: ignore[attr-defined]
            ("", "Choose"),
            ("Accounts", [(key, one.name) for key, one in self.found.items() if one.user]),
            ("Groups", [(key, one.name) for key, one in self.found.items() if one.group]),
            (NOBODY.key, "Nobody"),
        ]

    def clean_assignee(self) -> Assignee:
        return self.found[self.cleaned_data["assignee"]]

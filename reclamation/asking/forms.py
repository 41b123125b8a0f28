"""Forms of asking. They validate and never act."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from reclamation.asking import seat_user, wording
from reclamation.models import Approval, KeepAnswer, NoticeTemplate

LONGEST_REASON = KeepAnswer._meta.get_field("reason").max_length
LONGEST_NOTE = Approval._meta.get_field("note").max_length


class KeepForm(forms.Form):
    """What a user may say when they keep their subscription. Both are optional."""

    reason = forms.CharField(
        label="Why do you need it?",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Helps whoever decides. You may leave it empty.",
    )
    until = forms.DateField(
        label="Until when?",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="At most a year from today. Empty: as long as your company’s rule says.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.latest = today, seat_user.latest_keep(today)
        self.fields["until"].widget.attrs |= {"min": today.isoformat(), "max": self.latest.isoformat()}

    def clean_until(self) -> date | None:
        """From today to a year ahead."""
        until: date | None = self.cleaned_data["until"]
        if until and not self.today <= until <= self.latest:
            raise ValidationError(f"Choose a day from today to {self.latest:%-d %B %Y}.")
        return until


class DecisionForm(forms.Form):
    """An approver's answer. Only what this approver may answer is offered."""

    answer = forms.ChoiceField(widget=forms.RadioSelect, choices=())
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the candidate’s history.",
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].choices = choices  # type: ignore[attr-defined]


class NoticeTemplateForm(forms.Form):
    """The words of the question."""

    subject = forms.CharField(max_length=NoticeTemplate._meta.get_field("subject").max_length)
    text = forms.CharField(
        max_length=NoticeTemplate._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 16}),
        strip=False,
        help_text="Plain text. A version in HTML is made from it.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def clean_text(self) -> str:
        """With the line ends of our own texts: browsers send two characters for each."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n").strip()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for field, words in wording.problem(data.get("subject", ""), data.get("text", "")).items():
            if field in data:
                self.add_error(field, words)
        return data

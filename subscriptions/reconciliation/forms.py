"""The form of a question to the reconciliation. It validates and never acts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from subscriptions.models import PositionGroup, SoftwareModel
from subscriptions.question import BadQuestion, PositionQuestion, ask


def list_publishers() -> list[str]:
    """The publishers of the software models under management, each under one spelling."""
    names = (
        SoftwareModel.objects.filter(under_management=True).order_by("publisher").values_list("publisher", flat=True)
    )
    by_case = {name.casefold(): name for name in names.distinct()}
    return sorted(by_case.values(), key=str.casefold)


class QuestionForm(forms.Form):
    """As of which day, about which publishers, divided by what."""

    day = forms.DateField(
        label="As of",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The end of that day. Empty: as of now.",
    )
    publishers = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all of them. What is aside is counted over all publishers in any case.",
    )
    group = forms.ChoiceField(
        choices=PositionGroup.choices,
        required=False,
        help_text="Divides what is in use, not what is owned: the licenses of a team are one pool.",
    )
    subgroup = forms.ChoiceField(choices=PositionGroup.choices, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, now: datetime, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        self.now = now
        self.question: PositionQuestion | None = None
        names = list_publishers()
        self.fields["publishers"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.fields["publishers"].error_messages["invalid_choice"] = "There is no such publisher."
        self.fields["day"].widget.attrs["max"] = timezone.localtime(now).date().isoformat()
        if len(names) < 2:
            del self.fields["publishers"]

    def clean(self) -> dict[str, Any]:
        """Build the question. Its refusal is an error of the field that it is about."""
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        group, subgroup = (data.get(name) or PositionGroup.NONE for name in ("group", "subgroup"))
        publishers = tuple(sorted(data.get("publishers") or ()))
        try:
            self.question = ask(data.get("day"), now=self.now, publishers=publishers, group=group, subgroup=subgroup)
        except BadQuestion as refusal:
            today = timezone.localtime(self.now).date()
            is_about_day = data.get("day") is not None and data["day"] > today
            self.add_error("day" if is_about_day else "subgroup", ValidationError(str(refusal)))
        return data

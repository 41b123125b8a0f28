"""The form of a back-test. It validates and never acts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from reclamation.back_tests import span
from reclamation.back_tests.start import Question
from reclamation.models import BackTest, ReclamationRule
from reclamation.models.back_test import HORIZONS
from reclamation.models.rule import RANGES

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
LONGEST = timedelta(days=366)
HORIZON = 30
NUMBERS = ("threshold_days", "minimum_age_days", "invited_days")


def _days(name: str, label: str, help_text: str, limits: tuple[int, int] | None = None) -> forms.IntegerField:
    low, high = limits or RANGES[name]
    return forms.IntegerField(label=label, min_value=low, max_value=high, help_text=help_text)


class BackTestForm(forms.Form):
    """Settings, days and horizon. `spans` says for these on which days each profile can be replayed."""

    threshold_days = _days("threshold_days", "Threshold in days", "Without use for so long a subscription is idle.")
    minimum_age_days = _days("minimum_age_days", "Minimum age in days", "Younger subscriptions are left alone.")
    invited_days = _days("invited_days", "Invited for days", "An invitation that waits for so long is proposed.")
    include_never_active = forms.BooleanField(label="Never active", required=False)
    include_invited = forms.BooleanField(label="Invited", required=False)
    include_suspended = forms.BooleanField(label="Suspended", required=False)
    include_leavers = forms.BooleanField(label="Left the company", required=False)
    logins_are_enough = forms.BooleanField(
        label="Judge by sign-ins where neither file events nor devices are seen", required=False
    )
    from_on = forms.DateField(label="First day", widget=DAY)
    to_on = forms.DateField(label="Last day", widget=DAY, help_text="Every seventh day from the first is replayed.")
    horizon_days = _days(
        "horizon_days", "Horizon in days", "For so long after a proposal it is looked for use.", HORIZONS
    )

    def __init__(
        self, *args: Any, rule: ReclamationRule, now: datetime, like: BackTest | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rule, self.now = rule, now
        self._set_initial(like)
        self.spans = span.read_spans(
            rule,
            threshold_days=self._number("threshold_days"),
            horizon_days=self._number("horizon_days"),
            now=now,
        )
        self.first, self.last = span.first_possible(self.spans), span.last_possible(self.spans)
        if like is None:
            self.initial.update(from_on=self.first, to_on=self.last)

    def _set_initial(self, like: BackTest | None) -> None:
        own = {name: getattr(self.rule, name) for name in BackTest.SETTINGS if name in self.fields}
        self.initial.update(own, horizon_days=HORIZON)
        if like:
            kept = {name: value for name, value in like.settings.items() if name in self.fields}
            days = {"from_on": like.from_on, "to_on": like.to_on, "horizon_days": like.horizon_days}
            self.initial.update({**kept, **days})

    def _number(self, name: str) -> int:
        """The number that was typed in if it is possible, else the one that the form begins with."""
        field: Any = self.fields[name]
        try:
            return int(field.clean(self.data[name]))
        except (KeyError, forms.ValidationError):
            return int(self.initial[name])

    def clean(self) -> dict[str, Any]:
        """Refuse days of which nothing is known, or nothing can be counted yet."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("from_on"), cleaned.get("to_on")
        if self.errors or first is None or last is None:
            return cleaned
        if self.first is None or self.last is None:
            self.add_error(
                None, "With this threshold and horizon no back-test is possible yet; see below from when on."
            )
        elif first < self.first:
            self.add_error("from_on", f"The first possible day is {self.first:%-d %b %Y}.")
        elif first > self.last:
            self.add_error("from_on", f"The last day whose horizon is over and final is {self.last:%-d %b %Y}.")
        self._check_order(first, last)
        return cleaned

    def _check_order(self, first: date, last: date) -> None:
        if last < first:
            self.add_error("to_on", "The last day comes before the first one.")
        elif last - first > LONGEST:
            self.add_error("to_on", f"At most {LONGEST.days} days after the first one.")
        elif last >= timezone.localtime(self.now).date():
            self.add_error("to_on", "This day is not over.")

    @property
    def question(self) -> Question:
        """What the valid form asks. The conditions are those of the rule."""
        values = {name: self.cleaned_data[name] for name in BackTest.SETTINGS if name in self.fields}
        return Question(
            settings={**values, "conditions": self.rule.conditions},
            from_on=self.cleaned_data["from_on"],
            to_on=self.cleaned_data["to_on"],
            horizon_days=self.cleaned_data["horizon_days"],
        )

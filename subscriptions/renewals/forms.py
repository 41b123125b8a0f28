"""The form with which a reduction that the vendor was asked for is noted. It validates and never acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from subscriptions.models.entitlement import MOST_RIGHTS


class ReductionForm(forms.Form):
    """To how many rights, and on which day the vendor was asked."""

    rights = forms.IntegerField(
        label="Renew with", min_value=0, max_value=MOST_RIGHTS, help_text="Rights that the renewal shall have."
    )
    on = forms.DateField(label="Asked on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def take_errors(self, problem: ValidationError) -> None:
        """Show what the verb refused at the fields it is about."""
        by_field: Any = problem.error_dict if hasattr(problem, "error_dict") else {NON_FIELD_ERRORS: problem.error_list}
        for name, errors in by_field.items():
            self.add_error(name if name in self.fields else None, ValidationError(errors))

"""What somebody searches for."""

from __future__ import annotations

from django import forms

from samsaas.lib.tables import LONGEST_SEARCH


class FindForm(forms.Form):
    q = forms.CharField(label="Search everything", required=False, max_length=LONGEST_SEARCH)

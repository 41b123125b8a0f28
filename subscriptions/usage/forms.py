"""The form above the publishers: what to show, in which order, and as what. Its state is in the URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms

from samsaas.lib.tables import LONGEST_SEARCH
from subscriptions.usage.publishers import SORTS

CARDS, LIST = "cards", "list"
STATUSES = [("", "Any"), ("out", "Out of compliance"), ("compliant", "Compliant"), ("pinned", "Pinned")]


class UsageForm(forms.Form):
    """A value that cannot be used is ignored."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Publisher", "data-page-filter": True}),
    )
    status = forms.ChoiceField(required=False, choices=STATUSES)
    sort = forms.ChoiceField(label="Order", required=False, choices=list(SORTS.items()))
    currency = forms.ChoiceField(label="Currency first", required=False)
    view = forms.ChoiceField(required=False, choices=[(CARDS, "Cards"), (LIST, "List")])

    def __init__(self, data: Mapping[str, Any], *, currencies: Iterable[str]) -> None:
        super().__init__(data)
        names = list(currencies)
        self.fields["currency"].choices = [("", "–"), *((name, name) for name in names)]  # type: ignore[attr-defined]
        if len(names) < 2:
            self.fields["currency"].widget = forms.HiddenInput()

    def read(self) -> dict[str, str]:
        """What the reader wishes; the default wherever a value cannot be used."""
        self.is_valid()
        wish = {name: str(self.cleaned_data.get(name) or "") for name in self.fields}
        return wish | {"sort": wish["sort"] or "name", "view": wish["view"] or CARDS}

    def kept_query(self) -> str:
        """The wishes as a query string, without the view: for the links that change it."""
        return urlencode({name: value for name, value in self.read().items() if value and name != "view"})

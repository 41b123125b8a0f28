"""The form of a person. It validates and never acts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from samsaas.lib.form_fields import require_printable
from samsaas.lib.text_forms import clean_text
from subscriptions import addresses
from subscriptions.models import Person
from subscriptions.people import directory, edit as edit_people, tie_account

LONGEST_LIST = 10_000
TEXTS = {"key", "name", "department", "manager", "cost_center"}


class PersonForm(forms.ModelForm):
    """Create or change a person with their addresses."""

    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        max_length=LONGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text="One per line, the main one first. Letters are stored in lower case.",
    )
    former_addresses = forms.CharField(
        label="Former e-mail addresses",
        required=False,
        max_length=LONGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
        help_text="An address that is taken off above comes here. It leads to this person while nobody else has it. "
        "Remove the line to forget it.",
    )
    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    class Meta:
        model = Person
        fields = ("key", "name", "department", "manager", "cost_center", "country", "left_on")
        widgets = {"left_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        help_texts = {"country": "Two letters, such as DE.", "manager": "The employee number of the manager."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["key", "name", "addresses", "former_addresses"])
        if not self.instance.pk:
            del self.fields["former_addresses"]
        else:
            self.initial["addresses"] = "\n".join(one.address for one in self.instance.addresses.all())
            former = self.instance.former_addresses.all()
            self.initial["former_addresses"] = "\n".join(one.address for one in former)
            self.initial["version"] = edit_people.version(self.instance)
        if directory.manager_unknown(self.instance):
            self.fields["manager"].help_text = "Nobody in the directory has this number."

    def clean_country(self) -> str:
        """Accept lower case; the model then checks the code."""
        country: str = self.cleaned_data["country"]
        return country.upper()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return require_printable(name)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        return require_printable(key)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in TEXTS & data.keys():
            data[name] = clean_text(data[name])
        if data.get("manager") and data["manager"] == data.get("key"):
            self.add_error("manager", directory.OWN_MANAGER)
        return data

    def clean_addresses(self) -> list[str]:
        return self._checked_lines("addresses")

    def clean_former_addresses(self) -> list[str]:
        return self._checked_lines("former_addresses")

    def _checked_lines(self, name: str) -> list[str]:
        try:
            return addresses.checked_addresses(self.cleaned_data[name].splitlines())
        except ValueError as error:
            raise ValidationError(str(error)) from None


class PersonAccountForm(forms.Form):
    """Which account is the person's. One that is somebody else's is no choice."""

    account = forms.ModelChoiceField(
        label="Account",
        queryset=User.objects.none(),
        required=False,
        empty_label="None",
        help_text="Accounts that are tied to somebody else are not offered.",
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["account"] = person.account_id
        self.fields["account"].queryset = tie_account.free_accounts(person)  # type: ignore[attr-defined]


class SearchForm(forms.Form):
    """A text that people are searched by."""

    q = forms.CharField(required=False, max_length=100)


class OtherPersonForm(forms.Form):
    """The person who is merged into another one."""

    other = forms.ModelChoiceField(queryset=Person.objects.none())

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["other"].queryset = Person.objects.exclude(pk=person.pk)  # type: ignore[attr-defined]

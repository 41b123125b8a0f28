"""Forms of people, their import and the user resolution rules. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from profiles.models import IntegrationProfile
from samsaas.lib import uploads
from subscriptions.models import Person, ResolutionRule
from subscriptions.people import directory, edit as edit_people
from subscriptions.people.imports import file as people_file

LONGEST_LIST = 10_000
TOO_LARGE = f"The file is larger than {uploads.LARGEST // 1024**2} MB. Upload it in parts."


class PersonForm(forms.ModelForm):
    """Create or change a person with their addresses."""

    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        max_length=LONGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text="One a line, the usual one first. ASCII letters are stored in lower case.",
    )
    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)

    class Meta:
        model = Person
        fields = ("key", "name", "department", "manager", "cost_centre", "country", "left_on")
        widgets = {"left_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        help_texts = {"country": "Two letters, such as DE.", "manager": "Their own number, as in this form."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["key", "name", "addresses"])
        if self.instance.pk:
            self.initial["addresses"] = "\n".join(one.address for one in self.instance.addresses.all())
            self.initial["version"] = edit_people.version(self.instance)
        if directory.manager_unknown(self.instance):
            self.fields["manager"].help_text = "Nobody in the directory has this number."

    def clean_country(self) -> str:
        """In small letters it is meant all the same; the model looks at it afterwards."""
        country: str = self.cleaned_data["country"]
        return country.upper()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return printable(name)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        return printable(key)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("manager") and data["manager"] == data.get("key"):
            self.add_error("manager", people_file.OWN_MANAGER)
        return data

    def clean_addresses(self) -> list[str]:
        try:
            return people_file.checked_addresses(self.cleaned_data["addresses"].splitlines())
        except ValueError as error:
            raise ValidationError(str(error)) from None


def printable(text: str) -> str:
    if not text.isprintable():
        raise ValidationError("This holds characters that cannot be shown.")
    return text


class PeopleFileForm(forms.Form):
    """A file of people, and whether it lists everybody."""

    file = forms.FileField(
        label="CSV file",
        max_length=255,
        error_messages={"empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        help_text=f"UTF-8, separated by commas, semicolons or tabs, at most {uploads.LARGEST // 1024**2} MB and "
        f"{people_file.MOST_LINES:,} lines.",
    )
    mark_leavers = forms.BooleanField(
        label="The file lists everybody",
        required=False,
        help_text="Active people who are missing from it are marked as leavers, after you have seen who they are.",
    )

    def __init__(self, *args: Any, oversized: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if oversized:
            self.fields["file"].error_messages["required"] = TOO_LARGE

    def clean_file(self) -> Any:
        """What its beginning tells is said at once; the rest is read by a job."""
        file = self.cleaned_data["file"]
        try:
            people_file.recognise(file)
        except people_file.Unreadable as problem:
            raise ValidationError(str(problem)) from None
        return file


class RuleForm(forms.ModelForm):
    """A user resolution rule; the model knows which fields fit together."""

    class Meta:
        model = ResolutionRule
        fields = ("name", "active", "source", "lookup", "transform", "new_domain", "profiles")
        widgets = {"profiles": forms.CheckboxSelectMultiple}

    def clean_name(self) -> str:
        name: str = printable(self.cleaned_data["name"])
        if ResolutionRule.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Another rule has this name.")
        return name

    def clean_new_domain(self) -> str:
        domain: str = self.cleaned_data["new_domain"].strip().lstrip("@")
        if domain and not people_file.ADDRESS.fullmatch(f"somebody@{domain}"):
            raise ValidationError("This is no domain such as example.com.")
        return domain

    @property
    def chosen_profiles(self) -> list[IntegrationProfile]:
        return list(self.cleaned_data["profiles"])

"""The form of a user resolution rule."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from profiles.models import IntegrationProfile
from samsaas.lib.form_fields import require_printable
from samsaas.lib.opened_form import OpenedForm
from subscriptions import addresses
from subscriptions.models import Person, ResolutionRule
from subscriptions.people.find_person import find_person

NAME_TAKEN = "Another rule has this name."


class AssignUserForm(forms.Form):
    """Whose the selected subscriptions are. `person` is who was found."""

    who = forms.CharField(
        label="User", max_length=320, help_text="Their employee number, or one of their e-mail addresses."
    )
    person: Person | None = None

    def clean_who(self) -> str:
        text: str = self.cleaned_data["who"]
        self.person, problem = find_person(text)
        if self.person is None:
            raise ValidationError(problem)
        return text


class RuleForm(OpenedForm):
    """A user resolution rule. The model checks which fields fit together."""

    class Meta:
        model = ResolutionRule
        fields = ("name", "active", "source", "lookup", "transform", "new_domain", "profiles")
        widgets = {"profiles": forms.CheckboxSelectMultiple}
        # Django compares once more, after `clean_name`; somebody may have taken the name in between.
        error_messages = {"name": {"unique": NAME_TAKEN}}

    def clean_name(self) -> str:
        name: str = require_printable(self.cleaned_data["name"])
        if ResolutionRule.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(NAME_TAKEN)
        return name

    def clean_new_domain(self) -> str:
        domain: str = self.cleaned_data["new_domain"].strip().lstrip("@")
        if domain and not addresses.ADDRESS.fullmatch(f"somebody@{domain}"):
            raise ValidationError("This is not a domain such as example.com.")
        return domain

    @property
    def chosen_profiles(self) -> list[IntegrationProfile]:
        return list(self.cleaned_data["profiles"])

"""What a person gets by mail, and a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from samsaas.events import post
from samsaas.events.kinds import CHOICES, EVERY, KINDS, OFF, list_for
from samsaas.events.tell import chosen
from samsaas.lib.form_fields import require_printable
from samsaas.lib.opened_form import OpenedForm
from samsaas.lib.secrets_form import SecretsForm
from samsaas.models import NotificationChoices, Webhook

KEEPS = "Stored encrypted and not shown again. Leave it empty to keep the stored one."


class ChoicesForm(forms.ModelForm):
    """A choice for every kind of event whose page the account may open."""

    class Meta:
        model = NotificationChoices
        fields = ("any_hour",)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = list_for(user)
        for kind in self.kinds:
            usual = chosen(user, self.instance, kind.key)
            self.fields[kind.key] = forms.ChoiceField(label=kind.label, choices=CHOICES, initial=usual, required=False)
        self.order_fields([kind.key for kind in self.kinds])

    def save(self, commit: bool = True) -> NotificationChoices:
        chosen_now = {kind.key: self.cleaned_data[kind.key] for kind in self.kinds}
        is_stopped = EVERY in self.instance.by_kind and set(chosen_now.values()) == {OFF}
        self.instance.by_kind = {key: choice for key, choice in chosen_now.items() if choice}
        if is_stopped:
            self.instance.by_kind[EVERY] = OFF  # the link in a mail stopped all of them, and still none is wanted
        return super().save(commit)


class WebhookForm(SecretsForm, OpenedForm):
    """A webhook. Its address may be a secret, as Slack's and Teams' are, so it is never filled in."""

    secret_fields = ("url",)

    url = forms.CharField(
        label="Address",
        max_length=2000,
        required=False,
        widget=forms.TextInput(attrs={"type": "url", "autocomplete": "off", "placeholder": "https://"}),
    )
    kinds = forms.MultipleChoiceField(
        label="Tell it of",
        choices=[(kind.key, kind.label) for kind in KINDS.values()],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Webhook
        fields = ("name", "style", "url", "kinds", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["active"].help_text = "Off: nothing is sent, and what happens meanwhile is not sent later."
        if self.instance.pk:
            self.fields["url"].help_text = f"Now an address of {self.instance.host}. {KEEPS}"
            self.fields["style"].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.require_kept()
        return cleaned

    def clean_name(self) -> str:
        return require_printable(self.cleaned_data["name"])

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if not url and not self.instance.pk:
            raise forms.ValidationError("Enter the address.")
        if url and (problem := post.address_problem(url)):
            raise forms.ValidationError(problem)
        return url

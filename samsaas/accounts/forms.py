"""Forms of accounts: an invitation, access, the password of an invited colleague, and asking for a new one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError

from samsaas import roles
from samsaas.accounts.access import describe_role
from samsaas.lib.form_fields import zone_field
from samsaas.lib.mail import address_problem
from samsaas.lib.opened_form import OpenedForm
from samsaas.models import Invitation

WITHOUT_ROLE = "Without a role an account can sign in and see nothing but questions that it is asked."


class RolesField(forms.ModelMultipleChoiceField):
    """The four roles as boxes, each with what it allows."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"widget": forms.CheckboxSelectMultiple, "label": "Roles", "required": False, **kwargs}
        super().__init__(Group.objects.filter(name__in=roles.ROLES).order_by("name"), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return describe_role(obj)


class InvitationForm(forms.ModelForm):
    """Whom to invite. The name is what the colleague signs in with; empty, it is the address."""

    email = forms.EmailField(label="E-mail address", max_length=150)
    username = forms.CharField(
        label="User name", required=False, max_length=150, help_text="Empty: the e-mail address is the user name."
    )
    groups = RolesField(help_text=WITHOUT_ROLE)

    class Meta:
        model = Invitation
        fields = ("email", "username")

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if problem := address_problem(address):
            raise ValidationError(problem)
        return address

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name = cleaned.get("username") or cleaned.get("email")
        if not name or "username" in self.errors:
            return cleaned
        cleaned["username"] = name
        try:
            User._meta.get_field("username").run_validators(name)
        except ValidationError:
            self.add_error("username", "A user name has letters, digits and @ . + - _ only. Choose one.")
        if User.objects.filter(username__iexact=name).exists():
            self.add_error("username", "There is an account with this user name.")
        elif Invitation.objects.filter(username__iexact=name, accepted_at=None, withdrawn_at=None).exists():
            self.add_error("username", "There is an invitation with this user name. Send it again instead.")
        return cleaned


class AccessForm(OpenedForm):
    """Who an account is for, and its roles. The superuser's mark can be taken off here, and set in Core UI only."""

    groups = RolesField(help_text=WITHOUT_ROLE)

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "groups", "is_superuser")
        labels = {"email": "E-mail address", "is_superuser": "Superuser"}
        help_texts = {
            "email": "Here the account’s owner gets the link to set a new password.",
            "is_superuser": "Holds every role, whatever is ticked above.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.is_superuser:
            del self.fields["is_superuser"]


class ZoneForm(forms.Form):
    """The time zone of the person who reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["zone"] = zone_field(settings.TIME_ZONE, str(self.initial.get("zone") or ""))
        self.fields["zone"].help_text = (
            f"Of moments: when a job ran, when somebody did something. Days stay those of {settings.TIME_ZONE}, "
            "because everybody counts the same days."
        )


class WelcomeForm(forms.Form):
    """What an invited colleague chooses."""

    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html,
    )
    repeated = forms.CharField(
        label="Password again",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        password = cleaned.get("password")
        if not password:
            return cleaned
        if password != cleaned.get("repeated"):
            self.add_error("repeated", "The two passwords are not the same.")
        person = User(
            username=self.invitation.username,
            email=self.invitation.email,
            first_name=cleaned.get("first_name", ""),
            last_name=cleaned.get("last_name", ""),
        )
        try:
            password_validation.validate_password(password, person)
        except ValidationError as refused:
            self.add_error("password", refused)
        return cleaned


class LostPasswordForm(forms.Form):
    """The address that the link goes to. It is not said whether an account has it."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

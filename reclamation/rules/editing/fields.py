"""The fields of the form of a rule: what each is called, what it means, and which values are possible."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from reclamation.models import ReclamationRule as Rule
from reclamation.models.rule import RANGES
from reclamation.rules.words import DOES, LABELS
from samsaas import roles

HELP = {
    "active": "Off: no candidate is opened, and those about which nobody was asked yet are closed. The rule stays here "
    "and can be switched on again.",
    "threshold_days": "A subscription without use for this many days is idle.",
    "minimum_age_days": "Subscriptions assigned less than this many days ago are left alone.",
    "include_never_active": "Subscriptions without any use in all the time that was read.",
    "include_leavers": "From the day after their last day, whatever their use and the limits below.",
    "include_invited": "Invitations that were not accepted. Removing one cancels it, which cannot be undone.",
    "include_suspended": "Accounts that are suspended at the vendor, and idle.",
    "invited_days": "An invitation that waits for this many days is proposed.",
    "logins_are_enough": "Judge by sign-ins where the plan records no file events and no device session was read.",
    "notify_user": "The user gets a mail with a link that keeps the subscription. Whoever has left is not asked.",
    "notice_days": "They run from the sending of the mail. Silence until the end means that it is reclaimed.",
    "remind_before": "Days before the end, such as “3, 1”. Empty: no reminder.",
    "cool_down_days": "For how long a subscription that was kept or restored is left alone.",
    "approver": "Decides what a user wants to keep, and whatever no user is asked about.",
    "second_person": "Every removal needs a second person, not only those above the limits of the team.",
    "undo_days": "Until then one press restores the account, and its files wait. 0: they are transferred at once, and "
    "nothing can be undone.",
    "release_allocation": "Whoever loses the subscription loses the right that was assigned to them.",
    "wipe_devices": "The vendor deletes its files from the linked devices of the removed account.",
}
YES_NO = {
    "include_never_active": "Propose what was never used",
    "include_leavers": "Propose subscriptions of users who left",
    "include_invited": "Propose invitations that wait",
    "include_suspended": "Propose suspended accounts",
    "logins_are_enough": "Sign-ins are enough evidence",
    "second_person": "A second person for every removal",
    "release_allocation": LABELS["release_allocation"],
    "wipe_devices": LABELS["wipe_devices"],
    "notify_user": LABELS["notify_user"],
    "active": LABELS["active"],
}
ASSIGNED_TO_ALL = f"Everybody with {roles.SAM_ADMIN}"


class DayListField(forms.CharField):
    """Days as numbers with commas between them, kept as a list from the longest to the shortest."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(str(day) for day in value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[int]:
        """Raises ValidationError for anything but numbers. Which of them are possible depends on the notice."""
        parts = re.split(r"[,;\s]+", str(value or "").strip())
        days = [part for part in parts if part]
        if not all(day.isascii() and day.isdigit() and len(day) < 5 for day in days):
            raise ValidationError("Write days as numbers, such as “3, 1”.")
        return sorted({int(day) for day in days}, reverse=True)


def days_field(name: str) -> forms.IntegerField:
    """A number of days within the range that the rule allows."""
    low, high = RANGES[name]

    def check_range(days: int) -> None:
        if not low <= days <= high:
            raise ValidationError(f"{low} to {high} days are possible.")

    return forms.IntegerField(
        label=f"{LABELS[name]}, in days" if "days" not in LABELS[name].lower() else LABELS[name],
        help_text=HELP[name],
        widget=forms.NumberInput(attrs={"min": low, "max": high, "inputmode": "numeric"}),
        validators=[check_range],
    )


def yes_no_field(name: str) -> forms.BooleanField:
    return forms.BooleanField(label=YES_NO[name], required=False, help_text=HELP[name])


def mode_field() -> forms.ChoiceField:
    choices = [(mode.value, f"{mode.label}. {DOES[mode]}") for mode in Rule.Mode]
    return forms.ChoiceField(label=LABELS["mode"], choices=choices, widget=forms.RadioSelect)


def approver_field() -> forms.ChoiceField:
    return forms.ChoiceField(label=LABELS["approver"], choices=Rule.Approver.choices, help_text=HELP["approver"])


def group_field() -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        label=LABELS["assignment_group"],
        queryset=Group.objects.order_by("name"),
        required=False,
        empty_label=ASSIGNED_TO_ALL,
        help_text="Asked where the approver is the group, or the manager has no account here.",
    )


def reminders_field() -> DayListField:
    return DayListField(label=LABELS["remind_before"], required=False, help_text=HELP["remind_before"])


def destination_field() -> forms.ChoiceField:
    return forms.ChoiceField(label=LABELS["destination"], choices=Rule.Destination.choices, widget=forms.RadioSelect)


def values_field(label: str, choices: Any) -> forms.MultipleChoiceField:
    """What a rule is limited to: any number of existing values."""
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of these values is gone. Choose again."},
    )


def account_field(choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=LABELS["destination_external_id"],
        choices=choices,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "This account is gone. Choose another one."},
    )


def search_field(label: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )

"""The form of a reclamation rule, and that of its review. They validate and never act."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from reclamation.models import ReclamationRule
from reclamation.models.rule import CONDITIONS
from reclamation.rules.edit_rule import NOT_REVIEWED, Opened
from reclamation.rules.editing import accounts, fields, offered
from reclamation.rules.words import CONDITION_LABELS, count_days

ACCOUNT, FIND, LIMIT = "destination_external_id", "find_", "limit_"
MOST_VALUES = 200
SHORT_NOTICE = 3  # days; with fewer, a weekend may be all the time there is
THE_RULE = ("name", "active", "mode")
PROPOSED = (
    *("threshold_days", "minimum_age_days", "include_never_active", "include_leavers", "include_suspended"),
    *("include_invited", "invited_days", "logins_are_enough"),
)
ASKED = (
    *("notify_user", "notice_days", "remind_before", "approver", "assignment_group", "second_person"),
    "cool_down_days",
)
AFTERWARDS = ("undo_days", "wipe_devices", "release_allocation")
NAMED = ReclamationRule.Destination.NAMED
AUTOMATIC = ReclamationRule.Mode.AUTOMATIC


@dataclass(frozen=True)
class Limit:
    """A condition on the form: its field, and the search where there are too many values to show."""

    field: Any
    search: Any
    offer: offered.Offer


class ReclamationRuleForm(forms.Form):
    """Every setting of a rule. What others did since it was opened is compared when it is saved.

    `searches` are texts by what they look for: a key of the conditions, or the account that receives files.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)
    opened_name = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    name = forms.CharField(max_length=80)
    active = fields.yes_no_field("active")
    mode = fields.mode_field()
    threshold_days = fields.days_field("threshold_days")
    minimum_age_days = fields.days_field("minimum_age_days")
    include_never_active = fields.yes_no_field("include_never_active")
    include_leavers = fields.yes_no_field("include_leavers")
    include_suspended = fields.yes_no_field("include_suspended")
    include_invited = fields.yes_no_field("include_invited")
    invited_days = fields.days_field("invited_days")
    logins_are_enough = fields.yes_no_field("logins_are_enough")
    notify_user = fields.yes_no_field("notify_user")
    notice_days = fields.days_field("notice_days")
    remind_before = fields.reminders_field()
    approver = fields.approver_field()
    assignment_group = fields.group_field()
    second_person = fields.yes_no_field("second_person")
    cool_down_days = fields.days_field("cool_down_days")
    destination = fields.destination_field()
    undo_days = fields.days_field("undo_days")
    wipe_devices = fields.yes_no_field("wipe_devices")
    release_allocation = fields.yes_no_field("release_allocation")

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        rule: ReclamationRule,
        initial: Mapping[str, Any] | None = None,
        searches: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial={**_stored_values(rule), **(initial or {})}, label_suffix="")
        self.rule, self.searches = rule, dict(searches or {})
        self.offers = {key: self._offer(key) for key in CONDITIONS}
        for key, offer in self.offers.items():
            self.fields[LIMIT + key] = fields.values_field(CONDITION_LABELS[key], offer.choices)
            if offer.is_cut:
                self.fields[FIND + key] = fields.search_field(f"Find {CONDITION_LABELS[key].lower()}")
        self.found_accounts = self._find_accounts()
        self.fields[ACCOUNT] = fields.account_field(self._account_choices())
        self.fields[FIND + ACCOUNT] = fields.search_field("Find an account")

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """The plain fields under their headings; limits and the destination are drawn apart."""
        titles = (("The rule", THE_RULE), ("Who is proposed", PROPOSED), ("Who is asked", ASKED))
        return [(title, [self[name] for name in names]) for title, names in titles]

    @property
    def afterwards(self) -> list[Any]:
        return [self[name] for name in AFTERWARDS]

    @property
    def limits(self) -> list[Limit]:
        """The conditions that there is anything to choose for."""
        made = []
        for key, offer in self.offers.items():
            if offer.choices or offer.is_cut:
                search = self[FIND + key] if offer.is_cut else None
                made.append(Limit(self[LIMIT + key], search, offer))
        return made

    @property
    def account(self) -> Any:
        return self[ACCOUNT]

    @property
    def account_search(self) -> Any:
        return self[FIND + ACCOUNT]

    @property
    def account_message(self) -> str:
        """What the search for an account found; empty without one."""
        if not self.searches.get(ACCOUNT):
            return ""
        found = len(self.found_accounts)
        if found == accounts.MOST_FOUND:
            return f"The first {found} that match. Search for more letters if yours is not among them."
        return f"{found} found. Choose one." if found else "No active account with a verified address matches."

    @property
    def opened(self) -> Opened:
        """What whoever fills in the form saw of the rule."""
        return Opened(self.cleaned_data["version"], self.cleaned_data["opened_name"])

    @property
    def changes(self) -> dict[str, Any]:
        """The valid values by field of the rule."""
        names = [*THE_RULE, *PROPOSED, *ASKED, *AFTERWARDS, "destination", ACCOUNT]
        return {**{name: self.cleaned_data[name] for name in names}, "conditions": self.cleaned_data["conditions"]}

    @property
    def unsaved(self) -> ReclamationRule:
        """The rule with the valid values. The caller does not save it."""
        rule = copy(self.rule)
        for name, value in self.changes.items():
            setattr(rule, name, value)
        return rule

    @property
    def warnings(self) -> list[str]:
        """What is possible, and worth a second thought."""
        values = self.cleaned_data
        said = []
        if values["notify_user"] and values["notice_days"] < SHORT_NOTICE:
            said.append(
                f"The user has only {count_days(values['notice_days'])} to answer. A mail that is sent on a Friday "
                "may be read after the end: quiet days delay the sending, never the end."
            )
        if not values["undo_days"]:
            said.append("Without days to undo, files are transferred at once, and no removal can be undone.")
        if values["wipe_devices"]:
            said.append("What the vendor deletes from devices cannot be brought back, also if the account is restored.")
        others = accounts.profiles_without(self.rule, values[ACCOUNT]) if values[ACCOUNT] else []
        if others:
            said.append(f"{', '.join(others)} does not have the chosen account. Removals there will need a person.")
        return said

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["conditions"] = {
            key: offered.as_condition(key, cleaned[LIMIT + key]) for key in CONDITIONS if cleaned.get(LIMIT + key)
        }
        for key, values in cleaned["conditions"].items():
            if len(values) > MOST_VALUES:
                self.add_error(LIMIT + key, f"At most {MOST_VALUES} values are possible.")
        self._check_reminders(cleaned)
        self._check_automatic(cleaned)
        self._check_account(cleaned)
        return cleaned

    def _check_reminders(self, cleaned: Mapping[str, Any]) -> None:
        notice, days = cleaned.get("notice_days"), cleaned.get("remind_before", [])
        if notice is not None and not all(1 <= day < notice for day in days):
            text = (
                f"With {count_days(notice)} to answer, reminders are possible on 1 to {notice - 1} days before the end."
            )
            self.add_error("remind_before", text if notice > 1 else "One day to answer leaves no room for a reminder.")

    def _check_automatic(self, cleaned: Mapping[str, Any]) -> None:
        if cleaned.get("mode") != AUTOMATIC:
            return
        if self.rule.reviewed_at is None:
            self.add_error("mode", f"{NOT_REVIEWED} Save it in another mode, then confirm its review.")
        if not cleaned.get("notify_user") and cleaned.get("approver") == ReclamationRule.Approver.NONE:
            self.add_error("mode", "Automatic needs somebody who is asked: the user, or an approver.")

    def _check_account(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("destination") != NAMED:
            cleaned[ACCOUNT] = ""
        elif ACCOUNT in cleaned and (problem := self._why_no_account(cleaned[ACCOUNT])):
            self.add_error(ACCOUNT, problem)

    def _why_no_account(self, external_id: str) -> str:
        if not external_id:
            return "Find the account that receives the files, and choose it."
        return accounts.why_impossible(self.rule, external_id)

    def _chosen(self, name: str) -> list[str]:
        """What is chosen on the form as it stands, valid or not. What cannot be printed is never stored."""
        raw = self.data.getlist(name) if self.is_bound else self.initial.get(name) or []  # type: ignore[attr-defined]
        return [value for value in ([raw] if isinstance(raw, str) else raw) if value and value.isprintable()]

    def _offer(self, key: str) -> offered.Offer:
        return offered.offer_values(self.rule, key, self._chosen(LIMIT + key), self.searches.get(key, ""))

    def _find_accounts(self) -> list[tuple[str, str]]:
        text = self.searches.get(ACCOUNT, "")
        return accounts.search(self.rule, text) if text else []

    def _account_choices(self) -> list[tuple[str, str]]:
        chosen = [accounts.find(self.rule, one) or (one, f"{one}, which is gone") for one in self._chosen(ACCOUNT)[:1]]
        return list(dict([*chosen, *self.found_accounts]).items())


def hold_values(data: QueryDict, rule: ReclamationRule) -> dict[str, Any]:
    """What was filled in, right or wrong, to show the form again without judging it."""
    held = {}
    for name, field in ReclamationRuleForm(rule=rule).fields.items():
        if not name.startswith(FIND):
            held[name] = field.widget.value_from_datadict(data, {}, name)
    if data.get(FIND + ACCOUNT):  # whoever looks for an account wants to choose one
        held["destination"] = NAMED
    return held


def read_searches(data: QueryDict) -> dict[str, str]:
    """The searches that were asked for, by what they look for."""
    found = {}
    for key in (*CONDITIONS, ACCOUNT):
        text = "".join(letter for letter in data.get(FIND + key, "") if letter.isprintable()).strip()[:100]
        if text:
            found[key] = text
    return found


def _stored_values(rule: ReclamationRule) -> dict[str, Any]:
    names = (*THE_RULE, *PROPOSED, *ASKED, *AFTERWARDS, "destination", ACCOUNT)
    limits = {LIMIT + key: [str(value) for value in rule.conditions.get(key, [])] for key in CONDITIONS}
    return {
        **{name: getattr(rule, name) for name in names},
        **limits,
        "version": rule.version,
        "opened_name": rule.name,
    }


class ReviewForm(forms.Form):
    """What whoever reviews a rule stands for."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    opened_name = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    destination_is_right = forms.BooleanField(
        label="The files go to the right account", error_messages={"required": "Look at where the files go, and tick."}
    )
    legal_hold = forms.BooleanField(
        required=False,
        label="None of these accounts is under a legal hold",
        help_text="The vendor does not tell. Without this tick a rule in mode automatic removes nobody, and each batch "
        "asks for it.",
    )

    def __init__(self, data: QueryDict | None = None, *, rule: ReclamationRule) -> None:
        super().__init__(data, initial={"version": rule.version, "opened_name": rule.name})

    @property
    def opened(self) -> Opened:
        """What the reviewer has read."""
        return Opened(self.cleaned_data["version"], self.cleaned_data["opened_name"])

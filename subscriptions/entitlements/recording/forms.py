"""The forms of an entitlement: all at once, step by step, a correction, and its end. They validate and never act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.boundfield import BoundField

from samsaas.lib import money
from samsaas.lib.form_fields import require_printable
from samsaas.lib.text_forms import clean_text
from subscriptions.entitlements import words
from subscriptions.entitlements.edit import DETAILS
from subscriptions.entitlements.number_field import EntitlementNumberField
from subscriptions.entitlements.recording.groups import GROUPS, NEW_MODEL, FieldGroup
from subscriptions.models import Entitlement, EntitlementVersion, SoftwareModel

DAY = {"type": "date"}
TEXTS = (
    *("publisher_part_number", "vendor_name", "contract", "invoice", "purchase_order", "cost_center", "department"),
    *NEW_MODEL,
)


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs=DAY, format="%Y-%m-%d")


class EntitlementForm(forms.ModelForm):
    """Everything that a person may record of an entitlement. The software model may be a new one."""

    renews = EntitlementNumberField(
        label="Renews",
        help_text="The number of the entitlement that this one follows, such as ENT0000012. Empty: a new purchase.",
    )
    publisher = forms.CharField(
        max_length=120, required=False, help_text="Of a software model that is not in the list above."
    )
    product = forms.CharField(max_length=120, required=False)
    edition = forms.CharField(max_length=120, required=False, help_text="Optional.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)

    class Meta:
        model = Entitlement
        fields = tuple(name for name in DETAILS if name not in ("license_type", "metric"))
        widgets = {"start": day_input(), "end": day_input(), "notes": forms.Textarea(attrs={"rows": 4})}
        help_texts = {
            "start": "The first day.",
            "period": "The time for which the cost below is paid.",
            "purchased_rights": "How many people may use it.",
            "unlimited": "Then there is no number of rights.",
            "auto_renew": "The contract goes on by itself unless somebody ends it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["software_model"].required = False
        self.fields["software_model"].empty_label = "A new one, named below"  # type: ignore[attr-defined]
        self.fields["owner"].queryset = User.objects.filter(is_active=True).order_by("username")  # type: ignore[attr-defined]
        self.fields["purchased_rights"].required = False
        for name in ("unit_cost", "total_cost"):
            if (amount := getattr(self.instance, name)) is not None:
                self.initial[name] = money.trim(amount)
        if not self.instance.purchased_rights and (self.instance.unlimited or not self.instance.pk):
            self.initial["purchased_rights"] = kwargs.get("initial", {}).get("purchased_rights", "")
        if self.instance.pk:
            self.initial["version"] = self.instance.version
        if self.instance.software_model_id:
            self._fix_model()

    def _fix_model(self) -> None:
        """What is recorded, or renewed, has a software model already."""
        for name in NEW_MODEL:
            del self.fields[name]
        self.fields["software_model"].required = True
        self.fields["software_model"].empty_label = None  # type: ignore[attr-defined]

    def clean_purchased_rights(self) -> int:
        """Empty is none: an unlimited license has no number."""
        return int(self.cleaned_data["purchased_rights"] or 0)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in TEXTS:
            if data.get(name):
                self._clean_text(data, name)
        self._check_model(data)
        if self._are_good("start", "end") and data.get("end") and data["end"] < data["start"]:
            start, end = words.write_day(data["start"]), words.write_day(data["end"])
            self.add_error("end", f"The end date {end} is before the start date {start}.")
        if self._are_good("purchased_rights", "unlimited") and not data["purchased_rights"] and not data["unlimited"]:
            self._refuse_no_rights(data)
        return data

    def _clean_text(self, data: dict[str, Any], name: str) -> None:
        try:
            data[name] = clean_text(require_printable(data[name]))
        except ValidationError as problem:
            self.add_error(name, problem)

    def _refuse_no_rights(self, data: dict[str, Any]) -> None:
        if str(self.data.get(self.add_prefix("purchased_rights"), "")).strip() == "":
            self.add_error("purchased_rights", "Say how many rights were bought, or tick Unlimited license.")

    def _check_model(self, data: dict[str, Any]) -> None:
        if "publisher" not in self.fields or self.errors.keys() & {"software_model", *NEW_MODEL}:
            return
        described = [name for name in NEW_MODEL if data.get(name)]
        if data.get("software_model"):
            if described:
                self.add_error("software_model", "Choose a software model or name a new one, not both.")
            return
        for name in ("publisher", "product"):
            if not data.get(name):
                where = name if described else "software_model"
                return self.add_error(where, f"Choose a software model, or name the {name} of a new one.")
        known = SoftwareModel.objects.with_name(*self.named).order_by("pk").first()
        if known:
            data["software_model"] = known

    def _are_good(self, *names: str) -> bool:
        return all(name in self.cleaned_data for name in names)

    @property
    def named(self) -> tuple[str, ...]:
        """Publisher, product and edition of a software model that has to be made; empty if it is there."""
        if self.cleaned_data.get("software_model"):
            return ()
        return tuple(self.cleaned_data.get(name) or "" for name in NEW_MODEL)

    @property
    def groups(self) -> list[tuple[FieldGroup, list[BoundField]]]:
        """The visible fields in their groups."""
        return [(group, [self[name] for name in group.fields if name in self.fields]) for group in GROUPS]

    def take_errors(self, problem: ValidationError) -> None:
        """Show what a verb refused at the fields it is about."""
        by_field = problem.error_dict if hasattr(problem, "error_dict") else {NON_FIELD_ERRORS: problem.error_list}
        for name, errors in by_field.items():
            self.add_error(name if name in self.fields else None, ValidationError(errors))


class CorrectionForm(EntitlementForm):
    """Correct a published entitlement. Whatever a position rests on needs a reason."""

    reason = forms.CharField(
        label="Why it is corrected",
        max_length=EntitlementVersion._meta.get_field("reason").max_length,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with the version. Needed if model, rights, term, cost, currency or commitment change.",
    )


class GuidedForm(EntitlementForm):
    """The form in four steps. The fields of the other steps are carried along, hidden."""

    def __init__(self, *args: Any, step: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.step = step
        for name, field in self.fields.items():
            if name not in GROUPS[step].fields:
                field.widget = field.hidden_widget()

    @property
    def shown(self) -> FieldGroup:
        return GROUPS[self.step]

    @property
    def is_last(self) -> bool:
        return self.step == len(GROUPS) - 1

    @property
    def shown_fields(self) -> list[BoundField]:
        return [self[name] for name in self.shown.fields if name in self.fields]

    def first_bad_step(self) -> int:
        """The first step with an error, or the last one."""
        bad = (place for place, group in enumerate(GROUPS) if self.errors.keys() & set(group.fields))
        return next(bad, len(GROUPS) - 1)

    def step_is_good(self) -> bool:
        """Whether the fields of this step can be left. Errors of the others are forgotten, their turn comes."""
        for name in self.errors.keys() - set(self.shown.fields):
            del self.errors[name]
        return not self.errors

    def _read_value(self, name: str) -> Any:
        """What was filled in. A hidden box carries its tick as a text."""
        field, value = self.fields[name], self[name].value()
        return field.to_python(value) if isinstance(field, forms.BooleanField) else value

    def with_errors_shown(self) -> GuidedForm:
        """The form at the first step that has an error, with the errors of that step."""
        shown = GuidedForm(self.data, step=self.first_bad_step())
        shown.errors.clear()
        for name, errors in self.errors.items():
            if name == NON_FIELD_ERRORS or name in shown.shown.fields:
                shown.errors[name] = errors
        return shown

    def at_step(self, step: int) -> GuidedForm:
        """The form at another step, with what was filled in and without a word of what is missing there."""
        held = {name: self._read_value(name) for name in self.fields}
        return GuidedForm(initial=held, instance=Entitlement(), step=max(0, min(step, len(GROUPS) - 1)))


class RetireForm(forms.Form):
    """From which day an entitlement no longer counts, and why."""

    on = forms.DateField(
        label="Retire on",
        widget=day_input(),
        help_text="The first day on which it no longer counts. Days before keep it.",
    )
    reason = forms.CharField(
        max_length=EntitlementVersion._meta.get_field("reason").max_length, widget=forms.Textarea(attrs={"rows": 2})
    )

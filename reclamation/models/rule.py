"""Reclamation rules, their versions, what they would have proposed, and what they leave alone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NoReturn, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils import timezone

ACCOUNT = settings.AUTH_USER_MODEL
# The days that are possible, by field.
RANGES = {
    "threshold_days": (7, 730),
    "minimum_age_days": (0, 730),
    "invited_days": (7, 365),
    "notice_days": (1, 60),
    "cool_down_days": (0, 730),
    "undo_days": (0, 7),
}

# What a rule may ask for, and of which kind its values are.
CONDITIONS = {"profile": int, "identifier": str, "department": str, "cost_center": str, "country": str}


def _is_list_of(kind: type, values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is kind for value in values)


def default_reminders() -> list[int]:
    """Days before the end of the notice on which the user is reminded."""
    return [3, 1]


class ReclamationRule(models.Model):
    """When a seat of one software model counts as idle, who is asked, and where the files go.

    samsaas makes one for every software model. Nobody is mailed and nothing is removed by a rule that no person has
    reviewed. `active` off stands for a deleted rule: it is not made again.
    """

    class Mode(models.TextChoices):
        OBSERVE = "observe", "Observe"
        PROPOSE = "propose", "Propose"
        AUTOMATIC = "automatic", "Automatic"

    class Approver(models.TextChoices):
        NONE = "none", "Nobody"
        GROUP = "group", "Assignment group"
        MANAGER = "manager", "The user’s manager"

    class Destination(models.TextChoices):
        CONNECTED_ADMIN = "connected_admin", "The administrator who connected"
        MANAGER = "manager", "The user’s manager"
        NAMED = "named", "A chosen account"

    software_model = models.OneToOneField(
        "subscriptions.SoftwareModel", on_delete=models.CASCADE, related_name="reclamation_rule"
    )
    name = models.CharField(max_length=80)
    active = models.BooleanField("create reclamation candidate", default=True)
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.PROPOSE)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(ACCOUNT, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    observe_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then the rule only observes. Empty: it does what its mode says."
    )

    threshold_days = models.PositiveSmallIntegerField(
        default=60, help_text="A subscription without use for this many days is idle."
    )
    minimum_age_days = models.PositiveSmallIntegerField(
        default=60, help_text="Subscriptions assigned later than this many days ago are left alone."
    )
    include_never_active = models.BooleanField(default=True)
    include_invited = models.BooleanField(default=True)
    include_suspended = models.BooleanField(default=True)
    include_leavers = models.BooleanField(default=True)
    invited_days = models.PositiveSmallIntegerField(
        default=30, help_text="An invitation that waits for this many days is proposed."
    )
    logins_are_enough = models.BooleanField(
        default=False, help_text="Judge by sign-ins where the plan records no file events and no sessions are read."
    )

    notify_user = models.BooleanField(default=True)
    notice_days = models.PositiveSmallIntegerField("days before auto-reclamation", default=7)
    remind_before = models.JSONField(default=default_reminders, help_text="Days before the end of the notice.")
    cool_down_days = models.PositiveSmallIntegerField(
        default=90, help_text="For how many days a kept or restored subscription is left alone."
    )
    approver = models.CharField(max_length=10, choices=Approver.choices, default=Approver.GROUP)
    assignment_group = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Empty: sam_admin."
    )
    second_person = models.BooleanField(default=False, help_text="Every removal needs a second person.")
    conditions = models.JSONField(
        default=dict, blank=True, help_text="Values by key; a seat has to match one value of every key. Empty: all."
    )

    destination = models.CharField(max_length=20, choices=Destination.choices, default=Destination.CONNECTED_ADMIN)
    destination_external_id = models.CharField(max_length=255, blank=True)
    undo_days = models.PositiveSmallIntegerField(
        default=7, help_text="Days in which a removal can be undone. 0: the files are transferred at once."
    )
    release_allocation = models.BooleanField(default=True)
    wipe_devices = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()

    # What a version keeps and a person reviews. The other columns say what became of the rule.
    SETTINGS = (
        *("active", "mode", "threshold_days", "minimum_age_days", "include_never_active", "include_invited"),
        *("include_suspended", "include_leavers", "invited_days", "logins_are_enough", "notify_user", "notice_days"),
        *("remind_before", "cool_down_days", "approver", "assignment_group", "second_person", "conditions"),
        *("destination", "destination_external_id", "undo_days", "release_allocation", "wipe_devices"),
    )

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            *(
                models.CheckConstraint(
                    condition=models.Q(**{f"{name}__range": limits}),
                    name=f"rule_{name}_in_range",
                    violation_error_message=f"{limits[0]} to {limits[1]} days are possible.",
                )
                for name, limits in RANGES.items()
            ),
            models.CheckConstraint(
                condition=models.Q(destination="named") & ~models.Q(destination_external_id="")
                | ~models.Q(destination="named") & models.Q(destination_external_id=""),
                name="rule_named_destination_has_account",
                violation_error_message="A chosen account needs the account, and only that.",
            ),
            models.CheckConstraint(
                condition=~models.Q(mode="automatic")
                | models.Q(reviewed_at__isnull=False) & (models.Q(notify_user=True) | ~models.Q(approver="none")),
                name="rule_automatic_is_reviewed_and_asks",
                violation_error_message="Automatic needs a review, and somebody who is asked.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("rule_detail", args=[self.pk])

    def clean(self) -> None:
        """Raises ValidationError for reminders outside the notice, and for conditions on anything but known columns."""
        days = self.remind_before
        if not isinstance(days, list) or not all(type(day) is int and 1 <= day < self.notice_days for day in days):
            raise ValidationError({"remind_before": "Reminders come on days within the notice, before its last."})
        known = isinstance(self.conditions, dict) and set(self.conditions) <= set(CONDITIONS)
        if not known or not all(_is_list_of(kind, self.conditions.get(key, [])) for key, kind in CONDITIONS.items()):
            raise ValidationError({"conditions": f"Conditions are lists of values of {', '.join(CONDITIONS)}."})

    @property
    def is_observing(self) -> bool:
        """Whether it only observes for now, though its mode says more."""
        return self.observe_until is not None and timezone.now() < self.observe_until

    @classmethod
    def with_defaults(cls, now: datetime) -> ReclamationRule:
        """An unsaved rule of no model: how candidates without a rule are judged."""
        return cls(name="Defaults", made_at=now)


class AppendOnly(models.Model):
    """A row that is written once. The code refuses to change or delete it."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            raise TypeError(f"{self._meta.verbose_name_plural} are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self._meta.verbose_name_plural} are append-only.")


class RuleVersion(AppendOnly):
    """The settings of a rule from one save to the next."""

    rule = models.ForeignKey(ReclamationRule, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    settings = models.JSONField()
    by = models.ForeignKey(
        ACCOUNT,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty: samsaas itself.",
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["rule", "version"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"{self.rule}, version {self.version}"


class Observation(models.Model):
    """What a rule that observes would have proposed."""

    rule = models.ForeignKey(ReclamationRule, on_delete=models.CASCADE, related_name="observations", db_index=False)
    rule_version = models.ForeignKey(RuleVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    subscription = models.ForeignKey("subscriptions.Subscription", on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=24)
    first_on = models.DateField()
    last_on = models.DateField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-last_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["rule", "subscription"], name="observation_one_per_seat")]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.reason}"


class ExemptionQuerySet(models.QuerySet["Exemption"]):
    def open(self) -> Self:
        """Exemptions that nobody has ended. One past its last day counts no more, even before it is ended."""
        return self.filter(ended_at=None)

    def valid_on(self, day: date) -> Self:
        """Exemptions that nobody has ended, and whose last day is not over."""
        return self.open().filter(models.Q(until=None) | models.Q(until__gte=day))


class Exemption(models.Model):
    """A person or a seat that no rule proposes, until a day or without end. One closed by a person stays as history."""

    person = models.ForeignKey(
        "subscriptions.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="exemptions"
    )
    subscription = models.ForeignKey(
        "subscriptions.Subscription", null=True, blank=True, on_delete=models.CASCADE, related_name="exemptions"
    )
    reason = models.CharField(max_length=200)
    until = models.DateField(null=True, blank=True, help_text="The last day. Empty: without end.")
    by = models.ForeignKey(ACCOUNT, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ExemptionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=False, subscription=None)
                | models.Q(person=None, subscription__isnull=False),
                name="exemption_of_one_target",
            ),
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(ended_at=None), name="exemption_one_open_per_person"
            ),
            models.UniqueConstraint(
                fields=["subscription"], condition=models.Q(ended_at=None), name="exemption_one_open_per_seat"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person or self.subscription}: {self.reason}"

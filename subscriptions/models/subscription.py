"""Software subscriptions: one seat of one account in one profile, with its history."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas.lib import search as text_search, text_forms
from samsaas.lib.text_forms import ComparedField, ComparedQuerySet
from subscriptions.models.vendor_moment import VendorMomentField

SEARCHED = ("display_name", "email", "employee_id")


class SubscriptionQuerySet(ComparedQuerySet["Subscription"]):
    def listed(self) -> Self:
        """Seats that the vendor lists now, excluded or not."""
        return self.filter(ended_at=None)

    def current(self) -> Self:
        """Seats that count: listed and not excluded."""
        return self.listed().filter(excluded=False)

    def left_out(self) -> Self:
        return self.listed().filter(excluded=True)

    def ended(self) -> Self:
        return self.exclude(ended_at=None)

    def consuming(self) -> Self:
        return self.current().filter(consumes_license=True)

    def search(self, text: str) -> Self:
        """Seats whose name, address or employee number contains the text, or whose vendor id is the text."""
        # The list of profiles lets the look-up of an id use the unique index; without it, it would need its own index.
        profiles = list(IntegrationProfile.objects.order_by().values_list("pk", flat=True))
        return text_search.find(self, text, *SEARCHED, or_else=models.Q(profile__in=profiles, external_id=text))

    def of_leavers(self, today: date) -> Self:
        """Seats whose user's last day is over. The last day itself is a day of work."""
        return self.filter(match__person__left_on__lt=today)


class Subscription(models.Model):
    """A seat as the vendor last described it. Ended seats stay as history. A seat that returns keeps its row."""

    of_profile = "profile"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        INVITED = "invited", "Invited"
        SUSPENDED = "suspended", "Suspended"
        REMOVED = "removed", "Removed"
        UNKNOWN = "unknown", "Unknown"

    # No indexes of their own: the unique constraint and the indexes below already begin with these columns, and every
    # further index costs a million entries on the first download.
    profile = models.ForeignKey(
        "profiles.IntegrationProfile", on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    external_id = models.CharField(max_length=255)
    identifier = models.ForeignKey(
        "subscriptions.SubscriptionIdentifier",
        on_delete=models.PROTECT,
        related_name="subscriptions",
        db_index=False,
    )
    email = models.CharField(max_length=320, blank=True)
    email_verified = models.BooleanField(default=False)
    display_name = models.CharField(max_length=255, blank=True)
    given_name = models.CharField(max_length=255, blank=True)
    surname = models.CharField(max_length=255, blank=True)
    account_id = models.CharField(max_length=255, blank=True)
    employee_id = models.CharField("vendor's external id", max_length=255, blank=True)
    compared_email = ComparedField("email", text_forms.normalize_foreign, max_length=320, db_default="")
    compared_employee_id = ComparedField("employee_id", text_forms.normalize_foreign, max_length=255, db_default="")
    secondary_emails = models.TextField(blank=True, help_text="One address per line.")
    roles = models.TextField(blank=True, help_text="One vendor role per line.")
    is_admin = models.BooleanField(default=False, help_text="Has any administrative role at the vendor.")
    is_full_admin = models.BooleanField(default=False, db_default=False, help_text="May do everything at the vendor.")
    status = models.CharField(max_length=12, choices=Status.choices)
    vendor_status = models.CharField(max_length=60, blank=True)
    consumes_license = models.BooleanField(default=True)
    assigned_at = VendorMomentField(null=True, blank=True)
    invited_at = VendorMomentField(null=True, blank=True)
    suspended_at = VendorMomentField(null=True, blank=True)

    excluded = models.BooleanField(
        default=False, db_default=False, help_text="By an exclusion rule. Counted nowhere else."
    )

    first_seen_at = models.DateTimeField()
    known_since = models.DateTimeField(
        help_text="Since when it is known without interruption as a seat of the team that its profile is connected to."
    )
    read_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="From when the log was read for it, if it became known after that. Empty: not at all.",
    )
    changed_at = models.DateTimeField()
    valid_since = models.DateTimeField(
        default=timezone.now,
        db_default=Now(),
        help_text="Since when the facts that a position rests on are as they are. Former ones are kept as versions.",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last listed again after it had ended."
    )
    restored_at = models.DateTimeField(
        null=True, blank=True, help_text="When a removal of it was last undone, here or at the vendor."
    )
    freed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When our own removal of it freed its license. A list begun less than an hour later is too old to "
        "bring it back.",
    )
    keep_until = models.DateField(
        null=True, blank=True, help_text="A person decided that it is not reclaimed until this day, which counts."
    )
    ended_by_run = models.ForeignKey(
        "profiles.JobRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = "software subscription"
        ordering = ["display_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "external_id"], name="subscription_one_per_account"),
        ]
        indexes = [
            models.Index(fields=["display_name", "id"], name="subscription_by_name"),
            # Every page counts by these columns. The index has no others, so counting a million seats reads little.
            models.Index(
                fields=["profile", "status", "consumes_license"],
                condition=models.Q(ended_at=None, excluded=False),
                name="subscription_current",
            ),
            models.Index(fields=["identifier", "ended_at", "excluded"], name="subscription_by_identifier"),
            # What is proposed is looked up among the seats that count whenever a page shows what that would save.
            models.Index(
                fields=["id", "identifier"],
                condition=models.Q(ended_at=None, excluded=False, consumes_license=True),
                name="subscription_counting",
            ),
            models.Index(fields=["compared_email"], name="subscription_by_email"),
            models.Index(
                fields=["ended_by_run"],
                condition=models.Q(ended_by_run__isnull=False),
                name="subscription_by_ending_run",
            ),
            models.Index(
                fields=["profile", "freed_at"],
                condition=models.Q(freed_at__isnull=False),
                name="subscription_freed",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email or self.external_id

    def get_absolute_url(self) -> str:
        return reverse("subscription_detail", args=[self.pk])

    @property
    def takes_license(self) -> bool:
        """Whether it uses a license now: one that has ended, or is excluded, does not."""
        return self.consumes_license and self.ended_at is None and not self.excluded

    @property
    def title(self) -> str:
        """What pages call it: the name, else the address, else the vendor's id. People do not know that one."""
        return str(self)

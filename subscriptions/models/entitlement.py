"""What the company owns: entitlements with their versions, and rights that are allocated to people."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from samsaas.lib import money

MOST_RIGHTS = 10_000_000
MOST_UNIT_COST = 10_000_000


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    def published(self) -> Self:
        """In use or retired. One in Build never counts."""
        return self.exclude(state=Entitlement.State.BUILD)


class Entitlement(models.Model):
    """Rights to use a software model, bought for a time. `start` and `end` both count, `retired_on` does not any more.

    What it is called today (In use, Pending, Expired …) follows from its dates: `subscriptions.entitlements.terms`.
    """

    class State(models.TextChoices):
        BUILD = "build", "Build"
        IN_USE = "in_use", "In use"
        RETIRED = "retired", "Retired"

    class Agreement(models.TextChoices):
        STANDARD = "standard", "Standard"
        ENTERPRISE = "enterprise", "Enterprise"
        TRIAL = "trial", "Trial"
        FREE = "free", "Free"

    class License(models.TextChoices):
        SUBSCRIPTION = "subscription", "Subscription"

    class Metric(models.TextChoices):
        USER_SUBSCRIPTION = "user_subscription", "User Subscription"

    class Period(models.TextChoices):
        MONTHLY = "monthly", "Monthly"
        QUARTERLY = "quarterly", "Quarterly"
        ANNUALLY = "annually", "Annually"
        ENTIRE = "entire", "Entire subscription period"

    software_model = models.ForeignKey(
        "subscriptions.SoftwareModel", on_delete=models.PROTECT, related_name="entitlements"
    )
    publisher_part_number = models.CharField(max_length=80, blank=True)
    agreement_type = models.CharField(max_length=12, choices=Agreement.choices, default=Agreement.STANDARD)
    license_type = models.CharField(max_length=12, choices=License.choices, default=License.SUBSCRIPTION)
    metric = models.CharField("license metric", max_length=20, choices=Metric.choices, default=Metric.USER_SUBSCRIPTION)
    state = models.CharField(max_length=8, choices=State.choices, default=State.BUILD)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    retired_on = models.DateField(null=True, blank=True, help_text="The first day on which it no longer counts.")

    purchased_rights = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(MOST_RIGHTS)])
    unlimited = models.BooleanField("unlimited license", default=False)
    period = models.CharField("subscription period", max_length=10, choices=Period.choices, default=Period.ANNUALLY)
    start = models.DateField("start date")
    end = models.DateField("end date", null=True, blank=True, help_text="The last day. Empty: it goes on.")
    unit_cost = models.DecimalField(
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MOST_UNIT_COST)],
        help_text="For one right and one period.",
    )
    total_cost = models.DecimalField(
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="For all rights and one period. It wins where the unit cost says something else.",
    )
    currency = models.CharField(max_length=3, blank=True, choices=money.currencies)

    renews = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="renewals",
        help_text="The entitlement that this one follows. From its start on it counts in place of that one.",
    )
    auto_renew = models.BooleanField("renews by itself", default=False)
    notice_days = models.PositiveSmallIntegerField(
        "notice period",
        default=30,
        validators=[MaxValueValidator(365)],
        help_text="Days before the renewal by which the vendor must know of a reduction.",
    )
    minimum_rights = models.PositiveIntegerField(
        "commitment", default=0, help_text="Rights that cannot be given back at the renewal."
    )
    reduction_asked_on = models.DateField(null=True, blank=True)
    reduction_asked_to = models.PositiveIntegerField(null=True, blank=True)

    profile = models.ForeignKey(
        "profiles.IntegrationProfile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    vendor_name = models.CharField("vendor", max_length=120, blank=True)
    contract = models.CharField(max_length=120, blank=True)
    invoice = models.CharField(max_length=120, blank=True)
    purchase_order = models.CharField(max_length=120, blank=True)
    cost_center = models.CharField(max_length=80, blank=True)
    department = models.CharField(max_length=120, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    notes = models.TextField(max_length=5000, blank=True)

    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["software_model", "start", "end"], name="entitlement_by_term")]
        constraints = [
            models.UniqueConstraint(
                fields=["renews"],
                condition=Q(retired_on=None) | Q(retired_on__gt=F("start")),
                name="entitlement_renewed_once",
                violation_error_message="This entitlement has a renewal already.",
            ),
            models.CheckConstraint(
                condition=Q(unlimited=False) | Q(purchased_rights=0),
                name="entitlement_unlimited_has_no_number",
                violation_error_message="An unlimited license has no number of rights.",
            ),
            models.CheckConstraint(
                condition=Q(purchased_rights__lte=MOST_RIGHTS),
                name="entitlement_rights_in_bounds",
                violation_error_message="At most 10,000,000 rights can be recorded.",
            ),
            models.CheckConstraint(
                condition=Q(end=None) | Q(end__gte=F("start")),
                name="entitlement_ends_after_start",
                violation_error_message="The end date is before the start date.",
            ),
            models.CheckConstraint(
                condition=Q(unit_cost=None, total_cost=None) | ~Q(currency=""),
                name="entitlement_cost_has_currency",
                violation_error_message="A cost needs its currency.",
            ),
            models.CheckConstraint(
                condition=(Q(unit_cost=None) | Q(unit_cost__gte=0)) & (Q(total_cost=None) | Q(total_cost__gte=0)),
                name="entitlement_cost_not_negative",
                violation_error_message="A cost cannot be negative.",
            ),
            models.CheckConstraint(
                condition=Q(state="retired", retired_on__isnull=False) | ~Q(state="retired") & Q(retired_on=None),
                name="entitlement_retired_has_day",
                violation_error_message="A retired entitlement needs its day, and only a retired one has it.",
            ),
            models.CheckConstraint(
                condition=Q(minimum_rights__lte=F("purchased_rights")),
                name="entitlement_commitment_in_rights",
                violation_error_message="The commitment is more than the purchased rights.",
            ),
            models.CheckConstraint(
                condition=Q(notice_days__lte=365),
                name="entitlement_notice_within_year",
                violation_error_message="The notice period is at most 365 days.",
            ),
            models.CheckConstraint(
                condition=Q(renews=None) | ~Q(renews=F("id")),
                name="entitlement_renews_another",
                violation_error_message="An entitlement cannot renew itself.",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("entitlement_detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"ENT{self.pk or 0:07}"

    @property
    def is_draft(self) -> bool:
        """Whether it is edited freely and counts nowhere."""
        return self.state == self.State.BUILD


class EntitlementVersion(models.Model):
    """The values of an entitlement after one change, with the reason of a correction. Never changed afterwards."""

    entitlement = models.ForeignKey(Entitlement, on_delete=models.CASCADE, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    values = models.JSONField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["entitlement", "-version"]
        constraints = [models.UniqueConstraint(fields=["entitlement", "version"], name="entitlement_version_unique")]

    def __str__(self) -> str:
        return f"Version {self.version}"


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def open(self) -> Self:
        """Allocations that were not released."""
        return self.filter(released_on=None)

    def held_after(self, day: date) -> Self:
        """Allocations that still reserve rights at the end of a day: open ones, and those to be released later."""
        return self.filter(Q(released_on=None) | Q(released_on__gt=day))


class Allocation(models.Model):
    """Rights of an entitlement that are reserved for a person. `released_on` is the first day they no longer are."""

    class Source(models.TextChoices):
        HAND = "hand", "By hand"
        CSV = "csv", "From a file"
        RECLAIM = "reclaim", "By a removal or a restoration"
        CREATE_ALLOCATIONS = "create_allocations", "By a remedy"

    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="allocations", db_index=False)
    person = models.ForeignKey("subscriptions.Person", on_delete=models.PROTECT, related_name="allocations")
    quantity = models.PositiveIntegerField(default=1)
    assigned_on = models.DateField()
    released_on = models.DateField(null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.HAND)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        ordering = ["entitlement", "pk"]
        indexes = [models.Index(fields=["entitlement", "released_on"], name="allocation_by_entitlement")]
        constraints = [
            models.UniqueConstraint(
                fields=["entitlement", "person"], condition=Q(released_on=None), name="allocation_one_open_per_person"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="allocation_of_one_at_least"),
            models.CheckConstraint(
                condition=Q(released_on=None) | Q(released_on__gte=F("assigned_on")),
                name="allocation_released_after_assigned",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.entitlement_id} for {self.person_id}"
